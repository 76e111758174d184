"""How versions did: in the runs that made them, and in evaluations."""

from __future__ import annotations

import time
from pathlib import Path

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from artifacts.access import get_artifact_for, get_version_for
from artifacts.api import schemas
from artifacts.api.choice import NOT_THE_ONE, chosen_version
from artifacts.api.curation_requests import (
    EvaluationBody,
    EvaluationsQuery,
    PerformanceQuery,
    VersionChoiceQuery,
    parse_evaluation,
)
from artifacts.api.serializers import ArtifactChoiceQuery
from artifacts.queries.artifacts import newest_version
from artifacts.queries.producers import performance_history, training_metrics
from artifacts.services.curation import record_evaluation
from experiments.api.describe import Command, describe
from experiments.http.envelope import command_response
from runicorn.artifacts.evaluations import EvaluationRecord, read_evaluations


class TrainingMetrics(APIView):
    """The run that made a version, and its summary; null if no run is known to have."""

    @describe(
        "getTrainingMetrics",
        "Run that made a version",
        tag="Artifacts",
        query=VersionChoiceQuery,
        answer=schemas.TrainingMetrics(allow_null=True),
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str) -> Response:
        choice = VersionChoiceQuery.parse(request.query_params)
        number = choice.pop("version", None)
        if number is None:
            version = newest_version(get_artifact_for(request.user, name, **choice))
        else:
            version = get_version_for(request.user, name, number, **choice)
        return Response(training_metrics(version))


class PerformanceHistory(APIView):
    """What the runs that made the versions came to, ascending by version."""

    @describe(
        "getPerformanceHistory",
        "How an artifact's versions did",
        tag="Artifacts",
        query=PerformanceQuery,
        answer=schemas.VersionPerformance(many=True),
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str) -> Response:
        choice = PerformanceQuery.parse(request.query_params)
        metric_name = choice.pop("metric_name", None)
        return Response(performance_history(get_artifact_for(request.user, name, **choice), metric_name=metric_name))


class EvaluationList(APIView):
    """Evaluations, the newest first."""

    @describe(
        "listEvaluations",
        "Evaluations of an artifact",
        tag="Artifacts",
        query=EvaluationsQuery,
        answer=schemas.EvaluationItem(many=True),
        errors=NOT_THE_ONE,
    )
    def get(self, request: Request, name: str) -> Response:
        choice = EvaluationsQuery.parse(request.query_params)
        number = choice.pop("version", None)
        artifact = get_artifact_for(request.user, name, **choice)
        records = read_evaluations(Path(artifact.root.path), artifact.name, artifact.type)
        return Response([_item(record) for record in records if number in (None, record.version)])


class VersionEvaluation(APIView):
    """Record how a version did; it is dated by the server."""

    @describe(
        "evaluateVersion",
        "Record an evaluation",
        tag="Artifacts",
        query=ArtifactChoiceQuery,
        body=EvaluationBody,
        answer=Command(schemas.Evaluated),
        errors=NOT_THE_ONE,
    )
    def post(self, request: Request, name: str, version: int) -> Response:
        now = time.time()
        evaluation = parse_evaluation(request.data, at=now)
        found = chosen_version(request, name, version)
        eval_id = record_evaluation(found, evaluation, at=now)
        return command_response({"eval_id": eval_id}, message="Evaluation recorded successfully")


def _item(record: EvaluationRecord) -> dict[str, object]:
    """The documented keys of a record, whatever somebody else wrote into its file."""
    document = record.document
    metrics = document.get("metrics")
    texts = ("evaluator_run_id", "test_dataset", "status", "notes")
    return {
        "id": record.eval_id,
        "model_name": record.name,
        "model_version": record.version,
        "evaluation_date": record.evaluated_at,
        "metrics": metrics if isinstance(metrics, dict) else {},
        **{key: value if isinstance(value := document.get(key), str) else None for key in texts},
    }
