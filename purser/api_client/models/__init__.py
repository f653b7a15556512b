"""Contains all the data models used in inputs/outputs"""

from .active_jobs import ActiveJobs
from .attempt import Attempt
from .attempt_evidence import AttemptEvidence
from .audit_entry import AuditEntry
from .audit_outcome import AuditOutcome
from .audit_page import AuditPage
from .backoff_evidence import BackoffEvidence
from .breaker_evidence import BreakerEvidence
from .cancel_evidence import CancelEvidence
from .capabilities import Capabilities
from .check import Check
from .defaults import Defaults
from .delivery import Delivery
from .delivery_attempt import DeliveryAttempt
from .delivery_page import DeliveryPage
from .delivery_payload import DeliveryPayload
from .delivery_state import DeliveryState
from .drift import Drift
from .dry_run import DryRun
from .dry_run_engine_request_type_0 import DryRunEngineRequestType0
from .event import Event
from .event_detail import EventDetail
from .event_page import EventPage
from .executor import Executor
from .executor_list import ExecutorList
from .executor_metrics import ExecutorMetrics
from .executor_usage import ExecutorUsage
from .explain_evidence import ExplainEvidence
from .explain_evidence_short_of import ExplainEvidenceShortOf
from .explanation import Explanation
from .get_executor_job_logs_stream import GetExecutorJobLogsStream
from .get_executor_job_logs_unit import GetExecutorJobLogsUnit
from .get_job_logs_stream import GetJobLogsStream
from .get_job_logs_unit import GetJobLogsUnit
from .get_schema_response_200 import GetSchemaResponse200
from .health import Health
from .job import Job
from .job_count import JobCount
from .job_evidence import JobEvidence
from .job_labels import JobLabels
from .job_page import JobPage
from .job_request import JobRequest
from .job_request_env import JobRequestEnv
from .job_request_labels import JobRequestLabels
from .job_request_pull_policy_type_0 import JobRequestPullPolicyType0
from .job_request_retry_on_type_0_item import JobRequestRetryOnType0Item
from .job_request_scenario_type_0 import JobRequestScenarioType0
from .job_state import JobState
from .limits import Limits
from .links import Links
from .liveness import Liveness
from .log_line import LogLine
from .log_page import LogPage
from .log_page_dropped_bytes import LogPageDroppedBytes
from .missing_execution import MissingExecution
from .moment import Moment
from .moment_phase import MomentPhase
from .mount import Mount
from .mount_type import MountType
from .namespace_quota import NamespaceQuota
from .new_token import NewToken
from .patched_webhook_change import PatchedWebhookChange
from .patched_webhook_change_labels import PatchedWebhookChangeLabels
from .phases import Phases
from .problem import Problem
from .problem_place import ProblemPlace
from .process_metrics import ProcessMetrics
from .process_metrics_metrics import ProcessMetricsMetrics
from .process_metrics_performance import ProcessMetricsPerformance
from .readiness import Readiness
from .readiness_checks import ReadinessChecks
from .reason import Reason
from .removed import Removed
from .rotation import Rotation
from .scope import Scope
from .secret import Secret
from .secret_kind import SecretKind
from .secret_value import SecretValue
from .shortage import Shortage
from .stored_secret import StoredSecret
from .stored_secret_page import StoredSecretPage
from .tmpfs import Tmpfs
from .token import Token
from .token_page import TokenPage
from .token_request import TokenRequest
from .token_rotation import TokenRotation
from .token_state import TokenState
from .unowned_execution import UnownedExecution
from .usage import Usage
from .usage_report import UsageReport
from .utilization import Utilization
from .via import Via
from .waiting import Waiting
from .webhook import Webhook
from .webhook_labels import WebhookLabels
from .webhook_page import WebhookPage
from .webhook_request import WebhookRequest
from .webhook_request_labels import WebhookRequestLabels
from .webhook_with_secret import WebhookWithSecret
from .webhook_with_secret_labels import WebhookWithSecretLabels

__all__ = (
    "ActiveJobs",
    "Attempt",
    "AttemptEvidence",
    "AuditEntry",
    "AuditOutcome",
    "AuditPage",
    "BackoffEvidence",
    "BreakerEvidence",
    "CancelEvidence",
    "Capabilities",
    "Check",
    "Defaults",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryPage",
    "DeliveryPayload",
    "DeliveryState",
    "Drift",
    "DryRun",
    "DryRunEngineRequestType0",
    "Event",
    "EventDetail",
    "EventPage",
    "Executor",
    "ExecutorList",
    "ExecutorMetrics",
    "ExecutorUsage",
    "ExplainEvidence",
    "ExplainEvidenceShortOf",
    "Explanation",
    "GetExecutorJobLogsStream",
    "GetExecutorJobLogsUnit",
    "GetJobLogsStream",
    "GetJobLogsUnit",
    "GetSchemaResponse200",
    "Health",
    "Job",
    "JobCount",
    "JobEvidence",
    "JobLabels",
    "JobPage",
    "JobRequest",
    "JobRequestEnv",
    "JobRequestLabels",
    "JobRequestPullPolicyType0",
    "JobRequestRetryOnType0Item",
    "JobRequestScenarioType0",
    "JobState",
    "Limits",
    "Links",
    "Liveness",
    "LogLine",
    "LogPage",
    "LogPageDroppedBytes",
    "MissingExecution",
    "Moment",
    "MomentPhase",
    "Mount",
    "MountType",
    "NamespaceQuota",
    "NewToken",
    "PatchedWebhookChange",
    "PatchedWebhookChangeLabels",
    "Phases",
    "Problem",
    "ProblemPlace",
    "ProcessMetrics",
    "ProcessMetricsMetrics",
    "ProcessMetricsPerformance",
    "Readiness",
    "ReadinessChecks",
    "Reason",
    "Removed",
    "Rotation",
    "Scope",
    "Secret",
    "SecretKind",
    "SecretValue",
    "Shortage",
    "StoredSecret",
    "StoredSecretPage",
    "Tmpfs",
    "Token",
    "TokenPage",
    "TokenRequest",
    "TokenRotation",
    "TokenState",
    "UnownedExecution",
    "Usage",
    "UsageReport",
    "Utilization",
    "Via",
    "Waiting",
    "Webhook",
    "WebhookLabels",
    "WebhookPage",
    "WebhookRequest",
    "WebhookRequestLabels",
    "WebhookWithSecret",
    "WebhookWithSecretLabels",
)
