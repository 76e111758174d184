"""The index of artifacts: a disposable mirror of what lies below ``artifacts/`` in the storage roots.

Every row can be rebuilt by ``runicorn reindex``. Times are the floats of the files (Unix seconds), sizes are bytes.
What each table is for: docs/design/0020-artifact-index.md.
"""

from __future__ import annotations

from pathlib import Path

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from experiments.fields import JsonTextField
from runicorn.artifacts.names import NAME_MAX_CHARS
from runicorn.artifacts.places import ArtifactPlace


class Artifact(models.Model):
    """One artifact that has a version, deleted or not. Its identity is (root, type, name)."""

    root = models.ForeignKey("experiments.StorageRoot", on_delete=models.CASCADE, related_name="artifacts")
    type = models.CharField(max_length=16)
    name = models.CharField(max_length=NAME_MAX_CHARS)
    created_at = models.FloatField()
    updated_at = models.FloatField(help_text="Newest change of its versions or aliases.")
    #: Of the versions that are not deleted, so that lists read no version.
    version_count = models.PositiveIntegerField(default=0)
    latest_version = models.PositiveIntegerField(null=True)
    latest_size_bytes = models.BigIntegerField(default=0)
    search_text = models.TextField(
        default="", help_text="Case-folded type, name, aliases, and the latest version's description and tags."
    )
    #: What the mirror remembers of the artifact's own files (artifacts/mirror/marks.py). Equal again: nothing to do.
    marks = models.TextField(default="")

    class Meta:
        verbose_name = _("artifact")
        verbose_name_plural = _("artifacts")
        ordering = ["-updated_at", "name", "type"]
        constraints = [models.UniqueConstraint(fields=["root", "type", "name"], name="artifact_root_type_name")]
        indexes = [
            models.Index(fields=["name"], name="artifact_name"),
            models.Index(
                F("updated_at").desc(),
                "name",
                "type",
                name="artifact_newest",
                condition=Q(latest_version__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """Of its folder, relative to the root."""
        return f"artifacts/{self.type}/{self.name}"

    @property
    def place(self) -> ArtifactPlace:
        """Where its files are; ``root`` is loaded."""
        return ArtifactPlace(Path(self.root.path), self.type, self.name)


class ArtifactVersion(models.Model):
    """One version. It has a row once all rows of its files are there, and loses it before they go."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    folder = models.TextField(help_text="Relative to the root; of versions of 0.4 another than of newer ones.")
    status = models.CharField(max_length=32)
    deleted_at = models.FloatField(null=True, help_text="In the recycle bin since then.")
    created_at = models.FloatField()
    updated_at = models.FloatField()
    created_by_run = models.CharField(max_length=255, help_text="Run id; empty if the version does not say.")
    created_by_user = models.CharField(max_length=255, null=True)
    size_bytes = models.BigIntegerField(help_text="Of all files, and of references that say their size.")
    num_files = models.PositiveIntegerField()
    num_references = models.PositiveIntegerField()
    description = models.TextField(default="")
    tags = JsonTextField(default=list)
    metadata = JsonTextField(default=dict)
    stage = models.CharField(max_length=16)
    manifest_digest = models.CharField(max_length=255, null=True)
    problems = JsonTextField(default=dict, help_text="Which of its documents cannot be read, and why.")
    #: As Artifact.marks, of the version's documents; the manifest's apart, for it is never changed by us.
    marks = models.TextField(default="")
    manifest_mark = models.TextField(default="")

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["artifact", "number"]
        constraints = [models.UniqueConstraint(fields=["artifact", "number"], name="version_artifact_number")]
        indexes = [models.Index(fields=["created_by_run"], name="version_run")]

    def __str__(self) -> str:
        return f"{self.artifact.name}:v{self.number}"

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


class ArtifactFile(models.Model):
    """One file of a version. Named by artifact and number: rows of many files come and go in several transactions."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    path = models.TextField()
    size = models.BigIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256, 64 lowercase hex digits.")
    modified_at = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["artifact", "number", "path"], name="file_version_path")]

    def __str__(self) -> str:
        return self.path


class ArtifactReference(models.Model):
    """Data elsewhere that a version names, in the order of its manifest. checksum, size: as the user gave them."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    uri = models.TextField()
    checksum = models.TextField(null=True)
    size = models.BigIntegerField(null=True)
    metadata = JsonTextField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["artifact", "number", "position"], name="reference_version_position")
        ]

    def __str__(self) -> str:
        return self.uri


class ArtifactAlias(models.Model):
    """A name for one version; ``latest`` is among them while a version is not deleted."""

    artifact = models.ForeignKey(Artifact, on_delete=models.CASCADE, related_name="alias_rows", db_index=False)
    alias = models.CharField(max_length=255)
    number = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")
        ordering = ["alias"]
        constraints = [models.UniqueConstraint(fields=["artifact", "alias"], name="alias_artifact_alias")]

    def __str__(self) -> str:
        return self.alias


class LineageEdge(models.Model):
    """A line of a run's records: it created or used a version, which may be there or not.

    What the record says of the version is kept: it speaks when the version is gone.
    """

    class Kind(models.TextChoices):
        PRODUCES = "produces"  # run → version
        USES = "uses"  # version → run

    root = models.ForeignKey("experiments.StorageRoot", on_delete=models.CASCADE, related_name="+", db_index=False)
    run = models.ForeignKey("experiments.Run", on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    position = models.PositiveIntegerField(help_text="In the record.")
    #: ``type/name:v3``; empty if no version can be meant.
    subject = models.CharField(max_length=NAME_MAX_CHARS + 32)
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=255, null=True)
    number = models.BigIntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    at = models.FloatField(null=True, help_text="When the run created or used it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "kind", "position"], name="edge_run_kind_position")]
        indexes = [models.Index(fields=["root", "subject", "kind"], name="edge_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
