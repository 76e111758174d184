"""Addresses of the pages, and of what the pages fetch. Programs use /api."""

from django.urls import path

from experiments import (
    compare_views,
    log_views,
    page_data,
    palette_views,
    recycle_bin_views,
    run_edit_views,
    selection_views,
    table_views,
    views,
)

urlpatterns = [
    path("", views.home, name="home"),
    path("runs", table_views.run_list, name="run_list"),
    path("runs.rows", table_views.run_rows, name="run_rows"),
    path("runs.inside", table_views.run_group, name="run_group"),
    path("runs.fields", table_views.run_fields, name="run_fields"),
    path("runs.offers", table_views.filter_offers, name="filter_offers"),
    path("runs.tag", selection_views.tag, name="run_tag"),
    path("runs.delete", selection_views.delete, name="run_delete"),
    path("runs.restore", selection_views.restore, name="run_restore"),
    path("runs/<str:run_id>", views.run_charts, name="run_charts"),
    path("runs/<str:run_id>/overview", views.run_overview, name="run_overview"),
    path("runs/<str:run_id>/logs", views.run_logs, name="run_logs"),
    path("runs/<str:run_id>/media", views.run_media, name="run_media"),
    path("runs/<str:run_id>/files", views.run_files, name="run_files"),
    path("runs/<str:run_id>/files/<path:path>", page_data.run_file, name="run_file"),
    path("runs/<str:run_id>/alerts", views.run_alerts, name="run_alerts"),
    path("runs/<str:run_id>/edit", run_edit_views.edit, name="run_edit"),
    path("runs/<str:run_id>/head", views.run_head, name="run_head"),
    path("runs/<str:run_id>/charts.json", page_data.chart_data, name="chart_data"),
    path("runs/<str:run_id>/logs.json", log_views.log_page, name="log_page"),
    path("runs/<str:run_id>/logs.found", log_views.log_search, name="log_search"),
    path("runs/<str:run_id>/media/<path:name>", page_data.media_file, name="media_file"),
    path("compare", compare_views.compare, name="compare"),
    path("compare/table", compare_views.compare_table, name="compare_table"),
    path("compare.json", compare_views.compare_data, name="compare_data"),
    path("recycle-bin", recycle_bin_views.recycle_bin, name="recycle_bin"),
    path("recycle-bin/restore", recycle_bin_views.restore, name="recycle_bin_restore"),
    path("recycle-bin/purge", recycle_bin_views.purge, name="recycle_bin_purge"),
    path("palette", palette_views.palette, name="palette"),
    path("problems", views.problems, name="problems"),
]
