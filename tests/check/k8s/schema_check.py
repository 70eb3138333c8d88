"""Whether an object is one that Kubernetes takes: every field known, of its type, within its bounds.

Kubernetes' own kinds are checked by its published schemas, in their strict form: a field that nobody knows is an error.
Kinds of operators are checked by schemas/GROUP_KIND.yaml, which allow the fields that we use and no others.
"""

import json
from functools import cache
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

from tests.check.k8s.builds import Object

# It reads a file of two megabytes for each object; each is read once here.
kubernetes_validate.utils.schema_contents = cache(kubernetes_validate.utils.schema_contents)

SCHEMAS = Path(__file__).parent / "schemas"
# the schemas come with the package; a newer package brings a newer minor and this moves on
# (it names each version twice: once strict)
VERSIONS = tuple(dict.fromkeys(kubernetes_validate.utils.all_versions()))[-3:]


def complaint(thing: Object, version: str) -> str | None:
    """What is wrong with it; None if nothing is."""
    return _complaint(json.dumps(thing, sort_keys=True), version)


def own_schema(thing: Object) -> Path:
    """Where the schema of an operator's kind would be."""
    group = thing["apiVersion"].partition("/")[0]
    return SCHEMAS / f"{group}_{thing['kind'].lower()}.yaml"


@cache
def _complaint(text: str, version: str) -> str | None:
    thing = json.loads(text)
    try:
        if own_schema(thing).exists():
            jsonschema.validate(thing, _schema(own_schema(thing)), cls=jsonschema.Draft202012Validator)
        else:
            kubernetes_validate.validate(thing, version, strict=True)
    except jsonschema.ValidationError as exc:
        return f"{'.'.join(map(str, exc.absolute_path))}: {exc.message}"
    except kubernetes_validate.SchemaNotFoundError as exc:
        return str(exc.message)
    return None


@cache
def _schema(path: Path) -> Object:
    schema: Object = yaml.safe_load(path.read_text())
    return schema
