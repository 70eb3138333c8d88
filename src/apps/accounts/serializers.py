"""What the API says and hears about users."""

from datetime import date
from typing import Any

from django.contrib.auth import authenticate, password_validation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError
from django.utils import timezone
from rest_framework import serializers

from apps.accounts.models import User
from apps.accounts.registration import register

TAKEN = "A user with this e-mail address exists already; ask for a token instead."
LONGEST_PASSWORD = 128  # hashing takes time by length, and anybody may make us hash


class RegistrationSerializer(serializers.ModelSerializer[User]):
    """Somebody who registers."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, write_only=True, trim_whitespace=False)

    class Meta:
        model = User
        fields = ("id", "email", "password", "first_name", "birthday")

    def validate_email(self, value: str) -> str:
        if User.objects.filter(email=value).exists():
            raise serializers.ValidationError(TAKEN)
        return value.lower()

    def validate_birthday(self, value: date | None) -> date | None:
        today = timezone.localdate()
        if value is not None and value > today:
            raise serializers.ValidationError(f"{value} is in the future; it is {today} today.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        person = User(**{name: value for name, value in attrs.items() if name != "password"})
        try:
            password_validation.validate_password(attrs["password"], user=person)
        except DjangoValidationError as exc:
            raise serializers.ValidationError({"password": exc.messages}) from exc
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        try:
            return register(**validated_data)
        except IntegrityError as exc:  # somebody registered the address since we looked
            raise serializers.ValidationError({"email": [TAKEN]}) from exc


class LoginSerializer(serializers.Serializer[Any]):
    """Somebody who logs in. After validation, `validated_data["user"]` is who it is."""

    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        user = authenticate(self.context["request"], username=attrs["email"], password=attrs["password"])
        if user is None:  # also for an inactive user; the answer must not tell which
            raise serializers.ValidationError("No active user has this e-mail address and password.")
        return {**attrs, "user": user}


class TokenSerializer(serializers.Serializer[Any]):
    """What to send with every request."""

    token = serializers.CharField(help_text="Send it as `Authorization: Token <token>`.")
