"""Care staff: a role that reads what people write back."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_organisations_and_staff"),
    ]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="role",
            field=models.CharField(
                choices=[
                    ("marketer", "Marketer"),
                    ("designer", "Designer"),
                    ("approver", "Approver"),
                    ("analyst", "Analyst"),
                    ("compliance", "Compliance officer"),
                    ("integration", "Integration engineer"),
                    ("administrator", "Administrator"),
                    ("care", "Care staff"),
                ],
                max_length=20,
            ),
        ),
    ]
