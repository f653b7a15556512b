"""Webhooks: register, change, rotate, remove, and what was sent."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from api.auth import token_of
from api.documents import delivery_document, webhook_document
from api.endpoint import Header, View, answer, endpoint
from api.parsing import Query, read_body, read_nothing
from api.schemas.queries import DeliveryQuery
from api.schemas.webhooks import Delivery as DeliveryAnswer
from api.schemas.webhooks import DeliveryPage, WebhookPage, WebhookWithSecret
from api.schemas.webhooks import Webhook as WebhookAnswer
from container_manager import exceptions as domain
from container_manager import webhooks
from container_manager.models import Webhook, WebhookDelivery
from container_manager.tokens import Scope
from container_manager.webhooks import Rotation, WebhookChange, WebhookRequest

_LOCATION = Header(
    "Location", "Where the webhook is.", {"type": "string", "format": "uri-reference"},
    "/api/v1/webhooks/0193a1c2-6c8f-7d22-8e54-1b2c3d4e5f60", (201,),
)  # fmt: skip


class Webhooks(View):
    """The namespace's webhooks."""

    @endpoint("listWebhooks", "List webhooks", scope=Scope.JOBS_READ, answers={200: WebhookPage})
    def get(self, request: Request, query: Query) -> HttpResponse:
        """The namespace's webhooks, oldest first; at most 50. A token for some executors sees those for them only."""
        token = token_of(request)
        found = webhooks.listed(token.namespace, executors=token.executors)
        return answer({"results": [webhook_document(webhook) for webhook in found]})

    @endpoint(
        "createWebhook",
        "Register a webhook",
        scope=Scope.JOBS_WRITE,
        body=WebhookRequest,
        answers={201: WebhookWithSecret},
        headers=(_LOCATION,),
        raises=(domain.TooManyWebhooks,),
    )
    def post(self, request: Request, query: Query) -> HttpResponse:
        """Have a URL told of each change of state of the namespace's jobs, from now on.

        What is sent follows Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`, which is
        HMAC-SHA256 with the secret of this answer; it is not shown again. A 2xx is success. Anything else is tried
        again, with waits from 5 seconds to 6 hours, for `PURSER_WEBHOOK_RETRY_SECONDS`; a receiver may get the same
        `webhook-id` more than once, and changes out of order (`seq` orders those of one job). Redirects are not
        followed. A webhook that answers 410, or fails for `PURSER_WEBHOOK_DISABLE_SECONDS`, is disabled.
        """
        asked, token = read_body(WebhookRequest, request), token_of(request)
        webhook, secret = webhooks.register(token.namespace, asked, executors=token.executors)
        shown = {**webhook_document(webhook), "secret": secret}
        return answer(shown, 201, Location=f"/api/v1/webhooks/{webhook.pk}")


class WebhookStatus(View):
    """One webhook."""

    @endpoint(
        "getWebhook",
        "Read a webhook",
        scope=Scope.JOBS_READ,
        answers={200: WebhookAnswer},
        raises=(domain.UnknownWebhook,),
    )
    def get(self, request: Request, query: Query, webhook: str) -> HttpResponse:
        """What it is told of, and whether that goes well."""
        return answer(webhook_document(_find(request, webhook)))

    @endpoint(
        "updateWebhook",
        "Change a webhook",
        scope=Scope.JOBS_WRITE,
        body=WebhookChange,
        answers={200: WebhookAnswer},
        raises=(domain.UnknownWebhook,),
    )
    def patch(self, request: Request, query: Query, webhook: str) -> HttpResponse:
        """Change the fields that are given; the others stay.

        Disabling it fails what waits to be delivered; enabling it takes up what happens from then on.
        """
        found = _find(request, webhook)
        changed = webhooks.change(found, read_body(WebhookChange, request), executors=token_of(request).executors)
        return answer(webhook_document(changed))

    @endpoint(
        "deleteWebhook",
        "Remove a webhook",
        scope=Scope.JOBS_WRITE,
        answers={204: None},
        raises=(domain.UnknownWebhook,),
    )
    def delete(self, request: Request, query: Query, webhook: str) -> HttpResponse:
        """Forget it, its secret and its deliveries. Nothing more is sent to it."""
        read_nothing(request)
        webhooks.remove(_find(request, webhook))
        return HttpResponse(status=204)


class WebhookRotation(View):
    """A new secret."""

    @endpoint(
        "rotateWebhookSecret",
        "Give a webhook a new secret",
        scope=Scope.JOBS_WRITE,
        body=Rotation,
        answers={200: WebhookWithSecret},
        raises=(domain.UnknownWebhook,),
    )
    def post(self, request: Request, query: Query, webhook: str) -> HttpResponse:
        """Sign with a new secret from now on, and with the old one too for `overlap_seconds`.

        Meanwhile `webhook-signature` carries both signatures, so a receiver can change its secret at any moment.
        """
        changed, secret = webhooks.rotate(_find(request, webhook), read_body(Rotation, request))
        return answer({**webhook_document(changed), "secret": secret})


class Deliveries(View):
    """What was sent to a webhook."""

    @endpoint(
        "listWebhookDeliveries",
        "List a webhook's deliveries",
        scope=Scope.JOBS_READ,
        query=DeliveryQuery,
        answers={200: DeliveryPage},
        raises=(domain.UnknownWebhook, domain.InvalidCursor),
    )
    def get(self, request: Request, query: DeliveryQuery, webhook: str) -> HttpResponse:
        """What was or is to be sent to it, newest first, page by page, with every attempt's time, status and error.

        Kept for `PURSER_WEBHOOK_RETENTION_SECONDS` after its end.
        """
        found = _find(request, webhook)
        page = webhooks.deliveries(found, limit=query.limit, cursor=query.cursor, states=query.state)
        return answer({"results": list(map(delivery_document, page.deliveries)), "next_cursor": page.next_cursor})


class DeliveryStatus(View):
    """One delivery."""

    @endpoint(
        "getWebhookDelivery",
        "Read a delivery",
        scope=Scope.JOBS_READ,
        answers={200: DeliveryAnswer},
        raises=(domain.UnknownWebhook, domain.UnknownDelivery),
    )
    def get(self, request: Request, query: Query, webhook: str, delivery: str) -> HttpResponse:
        """What was or is to be sent, and how each attempt went."""
        return answer(delivery_document(_find_delivery(request, webhook, delivery)))


class Redelivery(View):
    """A delivery, once more."""

    @endpoint(
        "redeliverWebhookDelivery",
        "Send a delivery again",
        scope=Scope.JOBS_WRITE,
        answers={202: DeliveryAnswer},
        raises=(domain.UnknownWebhook, domain.UnknownDelivery, domain.WebhookDisabled),
    )
    def post(self, request: Request, query: Query, webhook: str, delivery: str) -> HttpResponse:
        """Send the same body under the same id again, now; one that waits for its next attempt is sent now."""
        read_nothing(request)
        return answer(delivery_document(webhooks.redeliver(_find_delivery(request, webhook, delivery))), 202)


def _find(request: Request, webhook: str) -> Webhook:
    token = token_of(request)
    try:
        webhook_id = UUID(webhook)
    except ValueError:
        raise domain.UnknownWebhook(f"there is no webhook {webhook!r}; a webhook's id is a UUID") from None
    return webhooks.get(webhook_id, namespace=token.namespace, executors=token.executors)


def _find_delivery(request: Request, webhook: str, delivery: str) -> WebhookDelivery:
    found = _find(request, webhook)
    try:
        delivery_id = UUID(delivery)
    except ValueError:
        raise domain.UnknownDelivery(f"there is no delivery {delivery!r}; a delivery's id is a UUID") from None
    return webhooks.delivery(found, delivery_id)
