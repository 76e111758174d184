"""The index: a disposable mirror of what lies in the run directories.

Every row here can be rebuilt from the storage roots by ``runicorn reindex``; nothing that people wrote lives only here.
Times are the floats of the files (Unix seconds). What each table is for: docs/design/0003-index-and-mirror.md.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from experiments.fields import JsonTextField, LargestFirst
from runicorn.storage.run_colors import color_number


class StorageRoot(models.Model):
    """A folder whose run directories are mirrored."""

    LOCAL = "local"

    key = models.CharField(max_length=200, unique=True)
    path = models.TextField(help_text="Absolute path of the folder.")
    enabled = models.BooleanField(default=True)
    scanned_at = models.FloatField(null=True, help_text="When a scan last saw the whole root.")
    free_bytes = models.BigIntegerField(null=True, help_text="Of the disk it lies on, a minute ago.")
    disk_bytes = models.BigIntegerField(null=True)
    switched_in = models.TextField(null=True, help_text="The start of the viewer in which somebody switched to it.")

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.key} ({self.path})"


class Run(models.Model):
    """One run directory. Its identity is (root, path); ``run_id`` is the folder's name and may repeat."""

    class Status(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        FAILED = "failed"
        INTERRUPTED = "interrupted"

    root = models.ForeignKey(StorageRoot, on_delete=models.CASCADE, related_name="runs")
    path = models.TextField(help_text="Relative to the root, with forward slashes.")
    run_id = models.CharField(max_length=255)
    project = models.CharField(max_length=255, null=True)
    name = models.CharField(max_length=1000, null=True, help_text="The experiment.")
    display_name = models.CharField(max_length=1000, null=True)
    group = models.CharField(max_length=255, null=True)

    status = models.CharField(max_length=12, choices=Status.choices)
    exit_reason = models.CharField(max_length=255, null=True)
    #: Running on disk, yet nobody on this machine can tell: the last sign of life is too old.
    silent = models.BooleanField(default=False)
    last_sign_at = models.FloatField(null=True)
    created_at = models.FloatField()
    started_at = models.FloatField(null=True)
    ended_at = models.FloatField(null=True)
    updated_at = models.FloatField(help_text="Newest change of any file of the run.")

    pid = models.BigIntegerField(null=True)
    hostname = models.CharField(max_length=255, null=True)
    python_version = models.CharField(max_length=64, null=True)
    platform = models.CharField(max_length=255, null=True)
    attempt = models.PositiveIntegerField(default=1)

    best_metric_name = models.CharField(max_length=1000, null=True)
    best_metric_value = models.FloatField(null=True)
    best_metric_step = models.BigIntegerField(null=True)
    best_metric_mode = models.CharField(max_length=3, null=True)

    tags = models.TextField(default="[]", help_text="JSON array, in the order people gave; RunTag has one row each.")
    description = models.TextField(null=True)
    archived = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    color = models.CharField(max_length=16, null=True, help_text="One of COLORS, if somebody chose it.")
    deleted_at = models.FloatField(null=True, help_text="In the recycle bin since then.")
    delete_reason = models.CharField(max_length=255, null=True)

    artifacts_created_count = models.PositiveIntegerField(default=0)
    artifacts_used_count = models.PositiveIntegerField(default=0)
    has_environment = models.BooleanField(default=False)
    record_count = models.BigIntegerField(default=0, help_text="Metric records ingested.")
    size_bytes = models.BigIntegerField(null=True, help_text="Of all its files, as they were at ``sized_at``.")
    sized_at = models.FloatField(null=True)
    search_text = models.TextField(
        default="", help_text="Case-folded project, name, display name, id, description, tags."
    )

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-created_at", "run_id"]
        constraints = [models.UniqueConstraint(fields=["root", "path"], name="run_root_path")]
        indexes = [
            models.Index(fields=["run_id"], name="run_run_id"),
            models.Index(F("created_at").desc(), "run_id", name="run_newest", condition=Q(deleted_at=None)),
            models.Index("project", F("created_at").desc(), "run_id", name="run_project", condition=Q(deleted_at=None)),
            models.Index("name", F("created_at").desc(), "run_id", name="run_name", condition=Q(deleted_at=None)),
            models.Index("status", F("created_at").desc(), "run_id", name="run_status", condition=Q(deleted_at=None)),
            # sorted by result, alone and within a project and status: else a page reads every row
            models.Index(LargestFirst("best_metric_value"), "run_id", name="run_best", condition=Q(deleted_at=None)),
            models.Index(
                "project",
                "status",
                LargestFirst("best_metric_value"),
                "run_id",
                name="run_project_best",
                condition=Q(deleted_at=None),
            ),
            # what projects take on disk, without a look at the rows
            models.Index("root", "project", "deleted_at", "size_bytes", name="run_project_size"),
            models.Index("root", "sized_at", name="run_sized"),
        ]

    def __str__(self) -> str:
        return self.run_id

    @property
    def directory(self) -> str:
        """Absolute path of the run directory."""
        return f"{self.root.path}/{self.path}"

    @property
    def color_number(self) -> int:
        """Which of the colours is the run's, the same on every page."""
        return color_number(self.run_id, self.color)


class Project(models.Model):
    """What the runs of a project come to: a view over the runs, so nothing has to be kept in step.

    Counted are runs outside the recycle bin, and apart from them those in it. Runs of 0.1 may name no project: "".
    """

    name = models.CharField(max_length=255, primary_key=True)
    experiment_count = models.IntegerField()
    run_count = models.IntegerField()
    running_count = models.IntegerField()
    failed_count = models.IntegerField()
    deleted_count = models.IntegerField()
    newest_at = models.FloatField(help_text="When the newest run was created.")

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        managed = False
        db_table = "experiments_project"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Experiment(models.Model):
    """As Project, for the experiments of all projects. key: project and name with a slash between."""

    key = models.CharField(max_length=1256, primary_key=True)
    project = models.CharField(max_length=255)
    name = models.CharField(max_length=1000)
    run_count = models.IntegerField()
    running_count = models.IntegerField()
    failed_count = models.IntegerField()
    deleted_count = models.IntegerField()
    newest_at = models.FloatField(help_text="When the newest run was created.")

    class Meta:
        verbose_name = _("experiment")
        verbose_name_plural = _("experiments")
        managed = False
        db_table = "experiments_experiment"
        ordering = ["project", "name"]

    def __str__(self) -> str:
        return self.key


class RunDetail(models.Model):
    """What only a run's own page reads, and what the mirror remembers of its files; apart, so that lists stay lean."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="detail")
    config = JsonTextField(default=dict)
    summary = JsonTextField(default=dict)
    notes = models.TextField(default="")
    #: mtime, size and inode of every file the mirror reads (experiments/mirror/marks.py). Equal again: nothing to do.
    file_marks = models.TextField(default="")
    #: Of each events file: how far it is ingested, committed together with the blocks that hold its points.
    event_offsets = JsonTextField(default=dict)


class RunTag(models.Model):
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tag_rows")
    tag = models.CharField(max_length=255)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tag", "run"], name="run_tag")]

    def __str__(self) -> str:
        return self.tag


class ValueKey(models.Model):
    """The name of a value of runs' configs or summaries, interned; inside of objects with dots: ``model.depth``."""

    class Area(models.TextChoices):
        CONFIG = "config"
        SUMMARY = "summary"

    area = models.CharField(max_length=7, choices=Area.choices)
    name = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["area", "name"], name="value_key_area_name")]

    def __str__(self) -> str:
        return f"{self.area}.{self.name}"


class RunValue(models.Model):
    """One value of a run's config or summary, for filters, columns and groups; ``RunDetail`` has the whole of them.

    Values that are null have no row. What text and number say of each kind: experiments/mirror/values.py.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="values")
    key = models.ForeignKey(ValueKey, on_delete=models.PROTECT, db_index=False)
    text = models.CharField(max_length=1000)
    number = models.FloatField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "run"], name="value_key_run")]


class MetricKey(models.Model):
    """A metric's name, interned: series and columns name it by number."""

    name = models.TextField(unique=True)

    def __str__(self) -> str:
        return self.name


class MetricSeries(models.Model):
    """What lists, sorting and filters need of one metric of one run, without reading its points."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="series")
    key = models.ForeignKey(MetricKey, on_delete=models.PROTECT)
    count = models.BigIntegerField(help_text="Points, non-finite ones included.")
    non_finite_count = models.BigIntegerField(default=0)
    first_step = models.BigIntegerField()
    last_step = models.BigIntegerField()
    last_value = models.FloatField(null=True, help_text="Null if the last point is not finite.")
    min_value = models.FloatField(null=True)
    min_step = models.BigIntegerField(null=True)
    max_value = models.FloatField(null=True)
    max_step = models.BigIntegerField(null=True)
    mean_value = models.FloatField(null=True, help_text="Of the finite points.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key"], name="series_run_key")]


class MetricBlock(models.Model):
    """A range of a run's metric records: their axes once, and (in small blocks) all their columns.

    Written once, never changed; small blocks are merged into larger ones.
    Binary layout: experiments/metrics/block_format.py.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="blocks")
    first_record = models.BigIntegerField()
    record_count = models.PositiveIntegerField()
    axes = models.BinaryField()
    #: All columns of a small block; null when each column is a MetricColumn row of its own.
    columns = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "first_record"], name="block_run_record")]


class MetricColumn(models.Model):
    """One key's values in one large block, so that a chart reads the keys it draws and no others."""

    block = models.ForeignKey(MetricBlock, on_delete=models.CASCADE, related_name="column_rows")
    key = models.ForeignKey(MetricKey, on_delete=models.PROTECT)
    column = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["block", "key"], name="column_block_key")]


class Media(models.Model):
    """An image that a run logged."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="media")
    key = models.TextField()
    path = models.TextField(help_text="Relative to the run directory.")
    step = models.BigIntegerField(null=True)
    caption = models.TextField(null=True)
    ts = models.FloatField(null=True)

    class Meta:
        ordering = ["id"]


class Alert(models.Model):
    """What a run wanted people to see."""

    class Level(models.TextChoices):
        INFO = "info"
        WARNING = "warning"
        ERROR = "error"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="alerts")
    ts = models.FloatField(null=True)
    level = models.CharField(max_length=7, choices=Level.choices)
    title = models.CharField(max_length=200)
    text = models.TextField()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title


class Problem(models.Model):
    """A file or folder that the mirror could not use, and why. Gone again when the file is mended."""

    RUNS = "runs"

    root = models.ForeignKey(StorageRoot, on_delete=models.CASCADE, related_name="problems")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="problems")
    #: What it was found in, so that each mirror knows its own.
    area = models.CharField(max_length=20, default=RUNS)
    path = models.TextField(help_text="Relative to the root.")
    reason = models.TextField()
    seen_at = models.FloatField()

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["root", "path"], name="problem_root_path")]

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class Change(models.Model):
    """The change feed: one row for each thing a mirror transaction changed, trimmed after some minutes."""

    class Kind(models.TextChoices):
        RUN = "run"  # a field of the run (status, tags, summary, ...)
        POINTS = "points"  # metric records were added
        MEDIA = "media"
        ALERTS = "alerts"
        REMOVED = "removed"  # the run directory is gone
        PROBLEMS = "problems"
        ARTIFACT = "artifact"  # versions, aliases or files of an artifact, or it is gone
        ROOTS = "roots"  # another folder is the local storage root: all that was shown is untrue

    run_key = models.BigIntegerField(null=True, help_text="Run.pk; no foreign key, the row may be gone.")
    run_id = models.CharField(max_length=255, default="")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    record_count = models.BigIntegerField(null=True, help_text="Records of the run after the change.")
    root_key = models.CharField(max_length=200, default="", help_text="Of what is no run: StorageRoot.key.")
    path = models.TextField(default="", help_text="Of what is no run: its folder, relative to the root.")
    at = models.FloatField(db_index=True)

    class Meta:
        ordering = ["id"]
