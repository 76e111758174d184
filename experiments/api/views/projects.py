"""Projects, the experiments in them, and those experiments' runs."""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import checked_root_for
from experiments.api.describe import NOT_FOUND, describe
from experiments.api.schemas import projects as schemas
from experiments.api.schemas.runs import RunListItem
from experiments.api.serializers import RootQuery
from experiments.api.views.runs import run_list_response
from experiments.queries.projects import experiment_names, projects
from experiments.queries.runs import RunListFilters


class ProjectList(APIView):
    @describe(
        "listProjects", "All projects", tag="Projects", query=RootQuery, answer=schemas.Projects, errors=NOT_FOUND
    )
    def get(self, request: Request) -> Response:
        found = projects(root=_root(request))
        return Response(
            {"projects": [figures.name for figures in found], "details": [asdict(figures) for figures in found]}
        )


class ExperimentNames(APIView):
    """The experiments of a project; none of an unknown one."""

    @describe(
        "listExperimentNames",
        "Experiments of a project",
        tag="Projects",
        query=RootQuery,
        answer=schemas.ExperimentNames,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, project: str) -> Response:
        return Response({"names": experiment_names(project, root=_root(request))})


class ExperimentRuns(APIView):
    """The runs of one experiment, newest first, as ``GET /api/runs`` lists them."""

    @describe(
        "listExperimentRuns",
        "Runs of an experiment",
        tag="Projects",
        query=RootQuery,
        answer=RunListItem(many=True),
        errors=NOT_FOUND,
    )
    def get(self, request: Request, project: str, name: str) -> HttpResponseBase:
        return run_list_response(RunListFilters(project=project, name=name, root=_root(request)))


def _root(request: Request) -> str | None:
    return checked_root_for(request.user, RootQuery.parse(request.query_params).get("root"))
