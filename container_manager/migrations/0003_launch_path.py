from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("container_manager", "0002_audit_is_append_only")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="launch_path",
            field=models.CharField(
                blank=True,
                choices=[("cold", "cold"), ("prepared_network", "prepared_network"), ("warm", "warm")],
                default="",
                max_length=32,
            ),
        ),
        migrations.AddField(
            model_name="attempt",
            name="launch_path_detail",
            field=models.TextField(blank=True, default=""),
        ),
    ]
