"""Registration and login; the only two addresses of the API that need no token."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import tokens
from apps.accounts.serializers import LoginSerializer, RegistrationSerializer, TokenSerializer
from warren.jobs.schema import errors
from warren.jobs.throttling import ExactScopedThrottle


class OpenView(APIView):
    """Open to anybody, so throttled; a stale token in the request does not matter."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ExactScopedThrottle,)
    throttle_scope: ClassVar[str]


class RegisterView(OpenView):
    """Makes a user."""

    throttle_scope = "register"

    @extend_schema(
        summary="Register",
        description="The welcome mail is sent in the background.",
        request=RegistrationSerializer,
        responses={201: RegistrationSerializer, **errors(400, 413, 429)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        form = RegistrationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        form.save()
        return Response(form.data, status=status.HTTP_201_CREATED)


class TokenView(OpenView):
    """Gives a token for an e-mail address and a password."""

    throttle_scope = "token"

    @extend_schema(
        summary="Get a token",
        description="It is the same at each login, until it is TOKEN_DAYS old; then a new one is made.",
        request=LoginSerializer,
        responses={200: TokenSerializer, **errors(400, 413, 429)},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        form = LoginSerializer(data=request.data, context={"request": request})
        form.is_valid(raise_exception=True)
        return Response({"token": tokens.of(form.validated_data["user"])})
