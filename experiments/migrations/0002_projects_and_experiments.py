"""Projects and experiments as views over the runs."""

from __future__ import annotations

from django.db import migrations, models

PROJECTS = """
CREATE VIEW experiments_project AS
SELECT
    COALESCE(run.project, '') AS name,
    COUNT(DISTINCT CASE WHEN run.deleted_at IS NULL THEN COALESCE(run.name, '') END) AS experiment_count,
    SUM(CASE WHEN run.deleted_at IS NULL THEN 1 ELSE 0 END) AS run_count,
    SUM(CASE WHEN run.deleted_at IS NULL AND run.status = 'running' AND NOT run.silent THEN 1 ELSE 0 END) AS running_count,
    SUM(CASE WHEN run.deleted_at IS NULL AND run.status = 'failed' THEN 1 ELSE 0 END) AS failed_count,
    SUM(CASE WHEN run.deleted_at IS NULL THEN 0 ELSE 1 END) AS deleted_count,
    MAX(run.created_at) AS newest_at
FROM experiments_run run
JOIN experiments_storageroot root ON root.id = run.root_id
WHERE root.enabled
GROUP BY COALESCE(run.project, '')
"""
EXPERIMENTS = """
CREATE VIEW experiments_experiment AS
SELECT
    COALESCE(run.project, '') || '/' || COALESCE(run.name, '') AS key,
    COALESCE(run.project, '') AS project,
    COALESCE(run.name, '') AS name,
    SUM(CASE WHEN run.deleted_at IS NULL THEN 1 ELSE 0 END) AS run_count,
    SUM(CASE WHEN run.deleted_at IS NULL AND run.status = 'running' AND NOT run.silent THEN 1 ELSE 0 END) AS running_count,
    SUM(CASE WHEN run.deleted_at IS NULL AND run.status = 'failed' THEN 1 ELSE 0 END) AS failed_count,
    SUM(CASE WHEN run.deleted_at IS NULL THEN 0 ELSE 1 END) AS deleted_count,
    MAX(run.created_at) AS newest_at
FROM experiments_run run
JOIN experiments_storageroot root ON root.id = run.root_id
WHERE root.enabled
GROUP BY COALESCE(run.project, ''), COALESCE(run.name, '')
"""
COUNTS = [
    ("run_count", models.IntegerField()),
    ("running_count", models.IntegerField()),
    ("failed_count", models.IntegerField()),
    ("deleted_count", models.IntegerField()),
    ("newest_at", models.FloatField(help_text="When the newest run was created.")),
]


class Migration(migrations.Migration):
    dependencies = [("experiments", "0001_initial")]

    operations = [
        migrations.RunSQL(PROJECTS, "DROP VIEW experiments_project"),
        migrations.RunSQL(EXPERIMENTS, "DROP VIEW experiments_experiment"),
        migrations.CreateModel(
            name="Project",
            fields=[
                ("name", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("experiment_count", models.IntegerField()),
                *COUNTS,
            ],
            options={
                "verbose_name": "project",
                "verbose_name_plural": "projects",
                "db_table": "experiments_project",
                "ordering": ["name"],
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Experiment",
            fields=[
                ("key", models.CharField(max_length=1256, primary_key=True, serialize=False)),
                ("project", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=1000)),
                *COUNTS,
            ],
            options={
                "verbose_name": "experiment",
                "verbose_name_plural": "experiments",
                "db_table": "experiments_experiment",
                "ordering": ["project", "name"],
                "managed": False,
            },
        ),
        migrations.AlterModelOptions(
            name="run",
            options={"ordering": ["-created_at", "run_id"], "verbose_name": "run", "verbose_name_plural": "runs"},
        ),
        migrations.AlterModelOptions(
            name="problem",
            options={"ordering": ["path"], "verbose_name": "problem", "verbose_name_plural": "problems"},
        ),
    ]
