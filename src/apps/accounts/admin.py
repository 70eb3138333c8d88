"""Users in Django's admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm

from apps.accounts.models import User


class EmailUserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]  # it takes no type at run time
    """A new user has an e-mail address and a password."""

    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class EmailUserAdmin(UserAdmin):  # type: ignore[type-arg]  # it takes no type at run time
    """Django's own page without the user name."""

    add_form = EmailUserCreationForm
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff")
    ordering = ("email",)
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "birthday")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)
