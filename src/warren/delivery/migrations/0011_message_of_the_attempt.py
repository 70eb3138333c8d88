from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0010_open_is_not_finished")]

    operations = [migrations.AddField("job", "message_id", models.CharField(db_default="", max_length=255))]
