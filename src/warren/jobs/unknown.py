"""What answers under /api/ where nothing else does: a client of the API reads JSON, not a page."""

from django.http import HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect, JsonResponse
from django.urls import Resolver404, resolve

READS = ("GET", "HEAD")


def unknown(request: HttpRequest, rest: str) -> HttpResponseBase:
    """404 with a remedy. Who only forgot the last slash is sent on, unless what the request carries would be lost."""
    slashed = f"{request.path_info}/"
    if rest and _is_known(slashed):
        if request.method in READS:
            return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        return _not_found(f"There is no {request.path}; it is {slashed}, with the slash at its end.")
    return _not_found(f"There is no {request.path}; /api/docs/ lists what there is.")


def _is_known(path: str) -> bool:
    try:
        return resolve(path).func is not unknown
    except Resolver404:
        return False


def _not_found(detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail}, status=404)
