from django.urls import path

from apps.arithmetic.views import AddNumbersView

urlpatterns = [path("add-numbers/", AddNumbersView.as_view(), name="arithmetic-add-numbers")]
