"""What load balancers and orchestrators ask web: does it live, and can it take requests?"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from warren.health import postgres


@never_cache
async def livez(_request: HttpRequest) -> HttpResponse:
    """200 while the event loop turns; touches no other service."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
async def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when Postgres answers and its tables are ours, else 503 with what is `missing`.

    RabbitMQ is not asked: jobs are accepted without it.
    """
    missing = await postgres.missing()
    return JsonResponse({"ready": not missing, "missing": missing}, status=503 if missing else 200)
