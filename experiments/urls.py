"""Addresses of the pages, and of what the pages fetch. Programs use /api."""

from django.urls import path

from experiments import page_data, recycle_bin_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("runs", views.run_list, name="run_list"),
    path("runs.rows", page_data.run_rows, name="run_rows"),
    path("runs/<str:run_id>", views.run_charts, name="run_charts"),
    path("runs/<str:run_id>/overview", views.run_overview, name="run_overview"),
    path("runs/<str:run_id>/logs", views.run_logs, name="run_logs"),
    path("runs/<str:run_id>/media", views.run_media, name="run_media"),
    path("runs/<str:run_id>/head", views.run_head, name="run_head"),
    path("runs/<str:run_id>/charts.json", page_data.chart_data, name="chart_data"),
    path("runs/<str:run_id>/logs.json", page_data.log_page, name="log_page"),
    path("runs/<str:run_id>/media/<path:name>", page_data.media_file, name="media_file"),
    path("recycle-bin", recycle_bin_views.recycle_bin, name="recycle_bin"),
    path("recycle-bin/restore", recycle_bin_views.restore, name="recycle_bin_restore"),
    path("recycle-bin/purge", recycle_bin_views.purge, name="recycle_bin_purge"),
    path("problems", views.problems, name="problems"),
]
