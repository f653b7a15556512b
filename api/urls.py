"""Every path. A job's routes stand under `/jobs` and under its executor alike."""

from collections.abc import Iterator

from django.urls import URLPattern, path

from api.views import audit, docs, events, executors, jobs, logs, process, secrets, tokens, usage, webhooks

_JOB_ROUTES = {
    "": jobs.JobStatus,
    "/logs": logs.JobLogs,
    "/events": events.JobEvents,
    "/explain": jobs.JobExplanation,
    "/cancel": jobs.JobCancel,
}


def _job_routes() -> Iterator[URLPattern]:
    for prefix in ("jobs/<str:job>", "executors/<str:executor>/jobs/<str:job>"):
        for suffix, view in _JOB_ROUTES.items():
            yield path(f"api/v1/{prefix}{suffix}", view.as_view())


urlpatterns = [
    *_job_routes(),  # looked through in this order, and these are asked the most
    path("api/v1/executors", executors.Executors.as_view()),
    path("api/v1/executors/<str:executor>", executors.ExecutorStatus.as_view()),
    path("api/v1/executors/<str:executor>/health", executors.ExecutorHealth.as_view()),
    path("api/v1/executors/<str:executor>/metrics", executors.ExecutorMetricsView.as_view()),
    path("api/v1/executors/<str:executor>/drift", executors.ExecutorDrift.as_view()),
    path("api/v1/executors/<str:executor>/jobs", jobs.ExecutorJobs.as_view()),
    path("api/v1/jobs", jobs.Jobs.as_view()),
    path("api/v1/usage", usage.Usage.as_view()),
    path("api/v1/secrets", secrets.Secrets.as_view()),
    path("api/v1/secrets/<str:secret>", secrets.SecretStatus.as_view()),
    path("api/v1/webhooks", webhooks.Webhooks.as_view()),
    path("api/v1/webhooks/<str:webhook>", webhooks.WebhookStatus.as_view()),
    path("api/v1/webhooks/<str:webhook>/rotate", webhooks.WebhookRotation.as_view()),
    path("api/v1/webhooks/<str:webhook>/deliveries", webhooks.Deliveries.as_view()),
    path("api/v1/webhooks/<str:webhook>/deliveries/<str:delivery>", webhooks.DeliveryStatus.as_view()),
    path("api/v1/webhooks/<str:webhook>/deliveries/<str:delivery>/redeliver", webhooks.Redelivery.as_view()),
    path("api/v1/tokens", tokens.Tokens.as_view()),
    path("api/v1/tokens/<str:token>", tokens.TokenStatus.as_view()),
    path("api/v1/tokens/<str:token>/rotate", tokens.TokenRotate.as_view()),
    path("api/v1/audit", audit.Audit.as_view()),
    path("livez", process.Livez.as_view()),
    path("readyz", process.Readyz.as_view()),
    path("metrics", process.Metrics.as_view()),
    path("api/schema", docs.ApiSchema.as_view()),
    path("api/docs", docs.docs),
    path("api/docs/problems", docs.problems),
]

handler400 = "api.problems.bad_request"
handler403 = "api.problems.forbidden"
handler404 = "api.problems.not_found"
handler500 = "api.problems.server_error"
