"""The books. Rows change only through `lifecycle` and `ledger`: never in save(), never read-check-write."""

import json

from django.db import models
from django.db.models import Q
from django.utils import timezone

from container_manager import vault
from container_manager.identifiers import uuid7
from container_manager.spec import JobRequest, JobSpec, execution_id
from container_manager.states import ACTIVE, TERMINAL, JobState, LaunchPath, Reason

_STATES = [(state, state) for state in JobState]
_REASONS = [(reason, reason) for reason in Reason]
_PATHS = [(path, path) for path in LaunchPath]


class Job(models.Model):
    """One accepted request to run something, from its acceptance until its retention ends.

    queued -> launching -> running -> succeeded | failed | cancelled, and launching | running -> queued
    for a retry. A cancel request is a column, not a state. `version` counts its events.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    namespace = models.CharField(max_length=63)
    executor = models.CharField(max_length=63)
    state = models.CharField(max_length=16, choices=_STATES, default=JobState.QUEUED)
    version = models.PositiveIntegerField(default=0)
    request = models.JSONField()
    secrets = models.TextField(blank=True, default="")  # values by index in the request, sealed; empty once it ended
    labels = models.JSONField(default=dict)
    priority = models.SmallIntegerField(default=0)

    memory_mib = models.PositiveIntegerField()
    cpu_millis = models.PositiveIntegerField()
    timeout_seconds = models.FloatField()
    grace_seconds = models.FloatField()
    max_retries = models.PositiveSmallIntegerField()

    attempt = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    queue_deadline = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    timed_out_at = models.DateTimeField(null=True)
    stale_since = models.DateTimeField(null=True)

    reason = models.CharField(max_length=32, choices=_REASONS, blank=True, default="")
    evidence = models.JSONField(default=dict)
    exit_code = models.IntegerField(null=True)

    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)  # by the database's clock: see listing.watermark
    queued_at = models.DateTimeField(default=timezone.now)
    launching_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cleaned_at = models.DateTimeField(null=True)
    logs_deleted_at = models.DateTimeField(null=True)

    owner = models.UUIDField(null=True)
    fence = models.PositiveIntegerField(default=0)

    known_attempts: "list[Attempt]"  # of a job that was read with them: see reads

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(JobState)), name="job_state_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(TERMINAL)) ^ Q(finished_at__isnull=True),
                name="job_is_finished_when_terminal",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(TERMINAL)) ^ Q(reason=""), name="job_has_a_reason_when_terminal"
            ),
        ]
        indexes = [
            models.Index(fields=["namespace", "-created_at", "-id"], name="job_list"),
            models.Index(fields=["namespace", "executor", "-created_at", "-id"], name="job_list_by_executor"),
            models.Index(fields=["namespace", "state", "-created_at", "-id"], name="job_list_by_state"),
            models.Index(
                fields=["namespace", "reason", "-created_at", "-id"], condition=~Q(reason=""), name="job_list_by_reason"
            ),
            models.Index(fields=["namespace", "updated_at", "id"], name="job_list_by_update"),
            models.Index(
                fields=["executor", "-priority", "queued_at", "id"], condition=Q(state="queued"), name="job_queue"
            ),
            models.Index(
                fields=["executor", "namespace", "-priority", "queued_at", "id"],
                condition=Q(state="queued"),
                name="job_turn",
            ),
            models.Index(fields=["state", "owner"], condition=Q(finished_at__isnull=True), name="job_active"),
            models.Index(
                fields=["executor", "not_before"],
                condition=Q(state="queued", not_before__isnull=False),
                name="job_backoff",
            ),
            models.Index(
                fields=["queue_deadline"], condition=Q(state="queued", queue_deadline__isnull=False), name="job_overdue"
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(cleaned_at__isnull=False, logs_deleted_at__isnull=True),
                name="job_log_retention",
            ),
            models.Index(fields=["finished_at"], condition=Q(logs_deleted_at__isnull=False), name="job_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @classmethod
    def active(cls) -> "models.QuerySet[Job]":
        """Those that are launched or run. In these words SQLite finds their index, which it does not by the states."""
        return cls.objects.filter(state__in=sorted(ACTIVE), finished_at=None)

    @property
    def execution_id(self) -> str:
        """The engine's name for the present attempt; empty before the first."""
        return execution_id(self.id, self.attempt) if self.attempt else ""

    def spec(self) -> JobSpec:
        """What the executor is given for the present attempt. Raises SecretUnreadable."""
        request = JobRequest.model_validate(self.request).model_dump(exclude_unset=True)
        if self.secrets:
            for index, value in json.loads(vault.open_sealed(self.secrets)).items():
                request["secrets"][int(index)]["value"] = value
        return JobSpec.model_validate(
            {
                **request,
                "id": self.id,
                "attempt": self.attempt,
                "namespace": self.namespace,
                "memory_mib": self.memory_mib,
                "cpu_cores": self.cpu_millis / 1000,
                "timeout_seconds": self.timeout_seconds,
                "grace_seconds": self.grace_seconds,
            }
        )


class JobLabel(models.Model):
    """A job's labels once more, with what a list of jobs is ordered by, in a form that an index can find."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+", db_index=False)
    namespace = models.CharField(max_length=63)
    key = models.CharField(max_length=63)
    value = models.CharField(max_length=256)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="label_key_is_unique")]
        indexes = [models.Index(fields=["namespace", "key", "value", "-created_at", "-job"], name="label_lookup")]


class Attempt(models.Model):
    """One launch of a job: when, how it ended, and what it used. Kept when the job is retried."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    launching_at = models.DateTimeField()
    pulling_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=32, choices=_REASONS, blank=True, default="")
    evidence = models.JSONField(default=dict)
    exit_code = models.IntegerField(null=True)
    image_digest = models.CharField(max_length=255, blank=True, default="")
    launch_path = models.CharField(max_length=32, choices=_PATHS, blank=True, default="")
    launch_path_detail = models.TextField(blank=True, default="")
    peak_memory_bytes = models.PositiveBigIntegerField(null=True)
    cpu_user_seconds = models.FloatField(null=True)
    cpu_system_seconds = models.FloatField(null=True)
    io_read_bytes = models.PositiveBigIntegerField(null=True)
    io_write_bytes = models.PositiveBigIntegerField(null=True)
    queued_seconds = models.FloatField(null=True)
    pull_seconds = models.FloatField(null=True)
    launch_seconds = models.FloatField(null=True)
    run_seconds = models.FloatField(null=True)
    cleanup_seconds = models.FloatField(null=True)
    cleaned_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="attempt_is_unique")]
        indexes = [
            models.Index(fields=["finished_at"], name="attempt_by_end"),
            models.Index(
                fields=["finished_at"],
                condition=Q(cleaned_at__isnull=True, finished_at__isnull=False),
                name="attempt_to_clean",
            ),
        ]

    def __str__(self) -> str:
        return execution_id(self.job_id, self.number)


class JobEvent(models.Model):
    """One thing that happened to a job, written in the transaction that made it happen."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    type = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=_STATES)
    reason = models.CharField(max_length=32, blank=True, default="")
    detail = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "seq"], name="event_seq_is_unique")]


class Capacity(models.Model):
    """What is reserved on an executor, and what it has. One row an executor; changed by conditional UPDATE."""

    executor = models.CharField(max_length=63, primary_key=True)
    memory_used = models.PositiveBigIntegerField(default=0)
    memory_aside = models.PositiveBigIntegerField(default=0)  # of it for no job: what waits for jobs takes so much
    cpu_millis_used = models.PositiveBigIntegerField(default=0)
    jobs_used = models.PositiveIntegerField(default=0)
    memory_total = models.PositiveBigIntegerField(null=True)
    cpu_millis_total = models.PositiveBigIntegerField(null=True)
    jobs_total = models.PositiveIntegerField(null=True)
    turn = models.UUIDField(null=True)  # the job that did not fit when its turn came: nobody of its priority passes it


class Namespace(models.Model):
    """What a tenant may hold on all executors together, and what it holds. Null is unlimited."""

    name = models.CharField(max_length=63, primary_key=True)
    max_jobs = models.PositiveIntegerField(null=True)
    max_memory_mib = models.PositiveBigIntegerField(null=True)
    max_cpu_millis = models.PositiveBigIntegerField(null=True)
    max_queued = models.PositiveIntegerField(null=True)
    jobs_used = models.PositiveIntegerField(default=0)
    memory_used = models.PositiveBigIntegerField(default=0)
    cpu_millis_used = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return self.name


class Share(models.Model):
    """A namespace's part of one executor: there once it has queued a job, so that its next turn can be found."""

    executor = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    jobs_used = models.PositiveIntegerField(default=0)
    served_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["executor", "namespace"], name="share_is_unique")]


class Breaker(models.Model):
    """Whether launches on an executor go on: one row an executor for all processes; none is closed."""

    executor = models.CharField(max_length=63, primary_key=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    causes = models.JSONField(default=list)
    state = models.CharField(max_length=16, default="closed")
    until = models.DateTimeField(null=True)  # when the next launch is let through, while it is not closed


class Allocation(models.Model):
    """What one job holds. Inserted with the reservation, deleted with the release: exactly once each."""

    job = models.OneToOneField(Job, on_delete=models.PROTECT, primary_key=True, related_name="allocation")
    executor = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    memory_mib = models.PositiveBigIntegerField()
    cpu_millis = models.PositiveBigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["executor"], name="allocation_by_executor")]


class JobCount(models.Model):
    """How many jobs have entered a state, ever: kept, because counting a million rows is not cheap."""

    executor = models.CharField(max_length=63)
    namespace = models.CharField(max_length=63)
    state = models.CharField(max_length=16)
    reason = models.CharField(max_length=32, blank=True, default="")
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["executor", "namespace", "state", "reason"], name="job_count_is_unique")
        ]


class DispatcherLease(models.Model):
    """A dispatcher process and the lease under which it owns its jobs."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    host = models.CharField(max_length=255)
    process = models.CharField(max_length=64)
    started_at = models.DateTimeField(default=timezone.now)
    lease_expires_at = models.DateTimeField()


class ExecutorReport(models.Model):
    """What a dispatcher last saw of an executor: its health, and what the base counted in that process."""

    executor = models.CharField(max_length=63)
    dispatcher = models.ForeignKey(DispatcherLease, on_delete=models.CASCADE, related_name="reports")
    checked_at = models.DateTimeField()
    healthy = models.BooleanField()
    detail = models.TextField(blank=True, default="")
    latency_seconds = models.FloatField()
    metrics = models.JSONField(default=dict)
    performance = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["executor", "dispatcher"], name="report_is_unique")]


class DriftReport(models.Model):
    """How an engine last differed from the books: one row an executor, written by the dispatcher whose turn it was."""

    executor = models.CharField(max_length=63, primary_key=True)
    turn_taken_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    unowned_count = models.PositiveIntegerField(default=0)
    missing_count = models.PositiveIntegerField(default=0)
    unowned = models.JSONField(default=list)  # the first of them
    missing = models.JSONField(default=list)


class Tally(models.Model):
    """How many of something were removed or launched on an executor, ever: of what is gone, the number stays."""

    executor = models.CharField(max_length=63)
    kind = models.CharField(max_length=32)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["executor", "kind"], name="tally_is_unique")]


class Token(models.Model):
    """A bearer token. Only the SHA-256 of its secret is kept; the secret has 256 random bits."""

    id = models.CharField(primary_key=True, max_length=16)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    namespace = models.CharField(max_length=63)
    scopes = models.JSONField(default=list)
    executors = models.JSONField(default=list)  # empty: all
    rate_limit = models.CharField(max_length=32, blank=True, default="")  # empty: the service's
    previous_digest = models.CharField(max_length=64, blank=True, default="")
    previous_expires_at = models.DateTimeField(null=True)  # until when the secret before the last rotation opens too
    created_at = models.DateTimeField(default=timezone.now)
    rotated_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["namespace", "-created_at", "-id"], name="token_list")]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


class RateWindow(models.Model):
    """How many requests of a token's rate the processes have taken in the window that began at a time (Unix, s)."""

    subject = models.CharField(max_length=63, primary_key=True)
    window = models.BigIntegerField()
    used = models.PositiveIntegerField(default=0)


class AuditEntry(models.Model):
    """One act: who did what, on what, from where, and how it ended. The database refuses to change or remove it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    operation = models.CharField(max_length=64)
    outcome = models.CharField(max_length=16)
    status = models.PositiveSmallIntegerField(null=True)
    code = models.CharField(max_length=64, blank=True, default="")
    via = models.CharField(max_length=16)
    token = models.CharField(max_length=16, blank=True, default="")
    namespace = models.CharField(max_length=63, blank=True, default="")
    user = models.CharField(max_length=64, blank=True, default="")  # the host's, of a command
    subject_type = models.CharField(max_length=32, blank=True, default="")
    subject = models.CharField(max_length=128, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    request_id = models.CharField(max_length=128, blank=True, default="")
    user_agent = models.CharField(max_length=200, blank=True, default="")
    missed = models.PositiveIntegerField(default=0)  # refusals of the same caller before it that were not written

    class Meta:
        indexes = [
            models.Index(fields=["namespace", "-id"], name="audit_list"),
            models.Index(fields=["at"], name="audit_by_age"),
        ]


class IdempotencyKey(models.Model):
    """A key that a client gave with a launch, the request it came with, and the job it made."""

    namespace = models.CharField(max_length=63)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    response = models.TextField()  # JSON, with its keys in the order of the first answer
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["namespace", "key"], name="idempotency_key_is_unique")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]


class StoredSecret(models.Model):
    """A value that a namespace keeps for its jobs, by name. Only ever given to a job."""

    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=63)
    value = models.TextField()  # sealed
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["namespace", "name"], name="secret_name_is_unique")]

    def __str__(self) -> str:
        return f"{self.namespace} {self.name}"


class Webhook(models.Model):
    """Where a namespace is told of its jobs' changes, and of which ones. An empty filter lets everything through.

    The secret signs what is sent; the old one does so too until its time is over.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    namespace = models.CharField(max_length=63)
    url = models.TextField()
    events = models.JSONField(default=list)  # states
    executors = models.JSONField(default=list)
    labels = models.JSONField(default=dict)
    secret = models.TextField()  # sealed
    old_secret = models.TextField(blank=True, default="")  # sealed
    old_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["namespace", "id"], name="webhook_list")]

    def __str__(self) -> str:
        return f"{self.id} of {self.namespace}"


class WebhookDelivery(models.Model):
    """One change of a job to tell one webhook: written in the transaction that made it, sent until it is received."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    job_id = models.UUIDField()  # of a job that may be gone before
    event = models.CharField(max_length=32)
    body = models.TextField()  # what is sent, the same each time
    state = models.CharField(max_length=16, default="pending")
    reason = models.TextField(blank=True, default="")  # why it failed
    created_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    leased_until = models.DateTimeField(null=True)  # while a dispatcher sends it
    attempts = models.PositiveIntegerField(default=0)
    log = models.JSONField(default=list)  # the last attempts
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["webhook", "next_attempt_at"], condition=Q(state="pending"), name="delivery_by_webhook"
            ),
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="delivery_queue"),
            models.Index(fields=["webhook", "-id"], name="delivery_list"),
            models.Index(fields=["finished_at"], condition=Q(finished_at__isnull=False), name="delivery_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"
