"""Contains all the data models used in inputs/outputs"""

from .active_jobs import ActiveJobs
from .attempt import Attempt
from .audit_entry import AuditEntry
from .audit_outcome import AuditOutcome
from .audit_page import AuditPage
from .backoff_evidence import BackoffEvidence
from .breaker_evidence import BreakerEvidence
from .breaker_state import BreakerState
from .cancel_evidence import CancelEvidence
from .capabilities import Capabilities
from .check import Check
from .counters import Counters
from .defaults import Defaults
from .delivery import Delivery
from .delivery_attempt import DeliveryAttempt
from .delivery_page import DeliveryPage
from .delivery_state import DeliveryState
from .drift import Drift
from .drift_cause import DriftCause
from .dropped_bytes import DroppedBytes
from .dry_run import DryRun
from .engine_request import EngineRequest
from .environment import Environment
from .event import Event
from .event_detail import EventDetail
from .event_page import EventPage
from .event_type import EventType
from .evidence import Evidence
from .execution_status import ExecutionStatus
from .executor import Executor
from .executor_list import ExecutorList
from .executor_metrics import ExecutorMetrics
from .executor_usage import ExecutorUsage
from .explain_evidence import ExplainEvidence
from .explain_evidence_short_of import ExplainEvidenceShortOf
from .explanation import Explanation
from .health import Health
from .job import Job
from .job_change import JobChange
from .job_change_detail import JobChangeDetail
from .job_count import JobCount
from .job_page import JobPage
from .job_request import JobRequest
from .job_state import JobState
from .label_selector import LabelSelector
from .labels import Labels
from .launch_path import LaunchPath
from .launch_times import LaunchTimes
from .launches import Launches
from .limits import Limits
from .links import Links
from .liveness import Liveness
from .log_line import LogLine
from .log_page import LogPage
from .log_stream import LogStream
from .log_streams import LogStreams
from .log_unit import LogUnit
from .message_type import MessageType
from .missing_execution import MissingExecution
from .moment import Moment
from .mount import Mount
from .mount_type import MountType
from .namespace_quota import NamespaceQuota
from .open_api_document import OpenApiDocument
from .phase import Phase
from .phases import Phases
from .problem import Problem
from .problem_place import ProblemPlace
from .process_metrics import ProcessMetrics
from .pull_policy import PullPolicy
from .readiness import Readiness
from .readiness_checks import ReadinessChecks
from .reason import Reason
from .removed import Removed
from .retry_reason import RetryReason
from .rotation import Rotation
from .scenario import Scenario
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
from .token_with_secret import TokenWithSecret
from .unowned_execution import UnownedExecution
from .usage import Usage
from .usage_report import UsageReport
from .utilization import Utilization
from .via import Via
from .waiting import Waiting
from .waiting_code import WaitingCode
from .webhook import Webhook
from .webhook_change import WebhookChange
from .webhook_message import WebhookMessage
from .webhook_page import WebhookPage
from .webhook_request import WebhookRequest
from .webhook_with_secret import WebhookWithSecret

__all__ = (
    "ActiveJobs",
    "Attempt",
    "AuditEntry",
    "AuditOutcome",
    "AuditPage",
    "BackoffEvidence",
    "BreakerEvidence",
    "BreakerState",
    "CancelEvidence",
    "Capabilities",
    "Check",
    "Counters",
    "Defaults",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryPage",
    "DeliveryState",
    "Drift",
    "DriftCause",
    "DroppedBytes",
    "DryRun",
    "EngineRequest",
    "Environment",
    "Event",
    "EventDetail",
    "EventPage",
    "EventType",
    "Evidence",
    "ExecutionStatus",
    "Executor",
    "ExecutorList",
    "ExecutorMetrics",
    "ExecutorUsage",
    "ExplainEvidence",
    "ExplainEvidenceShortOf",
    "Explanation",
    "Health",
    "Job",
    "JobChange",
    "JobChangeDetail",
    "JobCount",
    "JobPage",
    "JobRequest",
    "JobState",
    "Labels",
    "LabelSelector",
    "Launches",
    "LaunchPath",
    "LaunchTimes",
    "Limits",
    "Links",
    "Liveness",
    "LogLine",
    "LogPage",
    "LogStream",
    "LogStreams",
    "LogUnit",
    "MessageType",
    "MissingExecution",
    "Moment",
    "Mount",
    "MountType",
    "NamespaceQuota",
    "OpenApiDocument",
    "Phase",
    "Phases",
    "Problem",
    "ProblemPlace",
    "ProcessMetrics",
    "PullPolicy",
    "Readiness",
    "ReadinessChecks",
    "Reason",
    "Removed",
    "RetryReason",
    "Rotation",
    "Scenario",
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
    "TokenWithSecret",
    "UnownedExecution",
    "Usage",
    "UsageReport",
    "Utilization",
    "Via",
    "Waiting",
    "WaitingCode",
    "Webhook",
    "WebhookChange",
    "WebhookMessage",
    "WebhookPage",
    "WebhookRequest",
    "WebhookWithSecret",
)
