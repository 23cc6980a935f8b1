"""The OpenAPI document: it agrees with the server, is complete, and suits readers and code generators."""

import re

import pytest
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from conftest import PASSWORD
from music.tests.uploads import upload
from Spotify_Clone.openapi.reference import OPERATIONS, PROBLEMS, TAGS

JSON, FORM = "application/json", "multipart/form-data"


@pytest.fixture(scope="module")
def document():
    return SchemaGenerator().get_schema(public=True)


@pytest.fixture(scope="module")
def operations(document):
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@pytest.fixture(scope="module")
def schemas(document):
    return document["components"]["schemas"]


def content_of(operation):
    return operation.get("requestBody", {}).get("content", {})


def schema_of(operation, media_type, schemas):
    return schemas[name_of(content_of(operation)[media_type]["schema"])]


def name_of(schema):
    return schema["$ref"].rpartition("/")[2]


def walk(part):
    yield part
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from walk(child)


def test_only_deleting_an_account_takes_a_body(operations):
    assert [key for key, operation in operations.items() if key.startswith("DELETE") and content_of(operation)] == [
        "DELETE /api/profile"
    ]


def test_bodies_are_json_or_a_form_if_there_is_a_file(operations, schemas):
    media_types = {key: list(content_of(operation)) for key, operation in operations.items() if content_of(operation)}

    assert media_types.pop("POST /api/songs") == [FORM]
    with_files = {key: types for key, types in media_types.items() if FORM in types}
    assert with_files.keys() == {
        *("POST /api/albums", "PUT /api/albums/{id}", "PATCH /api/albums/{id}"),
        *("PUT /api/songs/{id}", "PATCH /api/songs/{id}"),
        *("PUT /api/profile", "PATCH /api/profile"),
        "POST /api/subscriptions/student",
    }
    assert all(types == [FORM, JSON] for types in with_files.values())
    assert all(types == [JSON] for key, types in media_types.items() if key not in with_files)


def test_files_are_in_forms_only(operations, schemas):
    for key, operation in operations.items():
        for media_type in content_of(operation):
            if media_type == JSON and key != "POST /api/stripe/webhook":
                fields = schema_of(operation, JSON, schemas)["properties"].values()
                assert not [field for field in fields if field.get("format") == "binary"], key
            if media_type == FORM:
                fields = schema_of(operation, FORM, schemas)["properties"].values()
                assert any(field.get("format") == "binary" for field in fields), key


@pytest.mark.parametrize("kind", ["songs", "albums", "genres"])
def test_put_needs_the_title_and_patch_nothing(operations, schemas, kind):
    put, patch = operations[f"PUT /api/{kind}/{{id}}"], operations[f"PATCH /api/{kind}/{{id}}"]

    for media_type in content_of(put):
        assert schema_of(put, media_type, schemas)["required"] == ["title"]
        assert "required" not in schema_of(patch, media_type, schemas)
    assert put["requestBody"]["required"]
    assert "required" not in patch["requestBody"]


def test_an_upload_requires_only_the_recording(operations, schemas):
    assert schema_of(operations["POST /api/songs"], FORM, schemas)["required"] == ["audio_file"]


@pytest.mark.django_db
def test_the_server_requires_the_fields_that_the_document_requires(operations, schemas, api, api_as, artist):
    # For a body without its required fields, the server reports exactly these.
    for key, operation in operations.items():
        method, path = key.split()
        if "{id}" in path or not content_of(operation) or path == "/api/stripe/webhook":
            continue
        media_type = list(content_of(operation))[-1]
        required = schema_of(operation, media_type, schemas).get("required", [])
        caller = api_as(artist) if "security" in operation else api
        caller.raise_request_exception = False  # Stripe is not configured here
        answer = caller.generic(
            method, path, "{}" if media_type == JSON else "", content_type=f"{media_type}; boundary=x"
        )
        complaints = {error["attr"] for error in answer.json().get("errors", ()) if error["code"] == "required"}
        assert complaints == set(required), key


@pytest.mark.django_db
def test_put_on_a_song_needs_only_the_title(api_as, artist):
    song = upload(api_as(artist)).json()

    without_title = api_as(artist).put(f"/api/songs/{song['id']}", {"explicit": True})
    with_title = api_as(artist).put(f"/api/songs/{song['id']}", {"title": "Anew"})

    assert [(error["code"], error["attr"]) for error in without_title.json()["errors"]] == [("required", "title")]
    assert (with_title.status_code, with_title.json()["title"]) == (200, "Anew")


def test_answers_have_all_their_fields(operations, schemas):
    # Only a recommendation's reason leaves out song, artist and genre where they do not apply.
    answered = set()
    for operation in operations.values():
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                answered |= {name_of(part) for part in walk(answer) if isinstance(part, dict) and "$ref" in part}
    while (
        more := {
            name_of(part)
            for name in answered
            for part in walk(schemas[name])
            if isinstance(part, dict) and "$ref" in part
        }
        - answered
    ):
        answered |= more

    optional = {
        name: missing
        for name in answered
        if (missing := set(schemas[name].get("properties", ())) - set(schemas[name].get("required", ())))
    }
    assert optional == {"RecommendationReason": {"song", "artist", "genre"}}


def test_411_is_documented_for_every_writing_operation(operations):
    for key, operation in operations.items():
        if not key.startswith("GET"):
            assert {"411", "413"} <= operation["responses"].keys(), key


def test_operations_are_verbs_and_unique(operations):
    ids = [operation["operationId"] for operation in operations.values()]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)*", name) for name in ids)
    assert {"listSongs", "createSong", "getSong", "replaceSong", "updateSong", "deleteSong", "likeSong"} <= set(ids)


def test_every_operation_is_described_once_in_reading_order(operations):
    assert operations.keys() == OPERATIONS.keys()
    for key, operation in operations.items():
        assert operation["summary"], key
        assert operation["description"].endswith("."), key
    tags = [tag for operation in operations.values() for tag in operation["tags"]]
    assert list(dict.fromkeys(tags)) != sorted(set(tags))
    assert set(tags) == {tag["name"] for tag in TAGS}
    assert all(tag["description"] for tag in TAGS)


def test_every_response_and_parameter_is_described(document, operations):
    responses = {**document["components"]["responses"]}
    for key, operation in operations.items():
        responses |= {f"{key} {status}": answer for status, answer in operation["responses"].items()}
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (key, parameter["name"])
    assert [name for name, answer in responses.items() if "$ref" not in answer and not answer["description"]] == []


def test_names_of_schemas_are_words(schemas):
    assert [name for name in schemas if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert [name for name in schemas if name.endswith(("Enum", "Serializer")) or name.startswith("Patched")] == []


def test_the_document_contains_no_docstrings(document):
    schemas = document["components"]["schemas"]
    assert [name for name, schema in schemas.items() if schema.get("description")] == []


def test_errors_have_an_example_for_each_code(document, operations):
    shown = set()
    for part in walk([document["components"]["responses"], document["paths"]]):
        if isinstance(part, dict) and "examples" in part:
            shown |= {
                (error["code"], example["value"]["type"])
                for example in part["examples"].values()
                for error in example["value"]["errors"]
            }
    assert {problem.code for problem in PROBLEMS.values()} == {code for code, _ in shown}
    subscribing = operations["POST /api/subscriptions/subscribe"]["responses"]
    assert {"already_subscribed", "free_plan", "already_member", "card_declined", "too_many_members"} <= set(
        subscribing["400"]["content"][JSON]["examples"]
    )
    assert "student_verification_required" in subscribing["403"]["content"][JSON]["examples"]
    assert "in_progress" in subscribing["409"]["content"][JSON]["examples"]


def test_every_body_has_a_valid_example(document, operations):
    registry = Registry().with_resource("urn:document", Resource.opaque(as_json_schema(document)))
    missing = []
    for place, media_type, content in contents(document, operations):
        examples = [example["value"] for example in content.get("examples", {}).values()]
        examples += [content["example"]] if "example" in content else []
        if media_type in (JSON, FORM) and not examples:
            missing.append(place)
        reference = {"$ref": f"urn:document{content['schema']['$ref']}"} if "$ref" in content["schema"] else {}
        for example in examples:
            problems = [
                error.message for error in Draft202012Validator(reference, registry=registry).iter_errors(example)
            ]
            assert problems == [], place
    # The export and Stripe's event have no schema of ours.
    assert missing == ["GET /api/profile/export 200", "POST /api/stripe/webhook"]


def contents(document, operations):
    for name, answer in document["components"]["responses"].items():
        yield from ((name, media_type, content) for media_type, content in answer.get("content", {}).items())
    for key, operation in operations.items():
        yield from ((key, media_type, content) for media_type, content in content_of(operation).items())
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                yield f"{key} {status}", media_type, content


def as_json_schema(part):
    """Translate OpenAPI 3.0's `nullable` into JSON Schema's type null."""
    if isinstance(part, list):
        return [as_json_schema(child) for child in part]
    if not isinstance(part, dict):
        return part
    own = {key: as_json_schema(child) for key, child in part.items() if key != "nullable"}
    return {"anyOf": [own, {"type": "null"}]} if part.get("nullable") is True else own


def test_the_authorize_dialog_says_what_to_enter(document):
    schemes = document["components"]["securitySchemes"]

    assert "`Token`, a space" in schemes["token"]["description"]
    assert schemes["session"]["in"] == "cookie"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_pages_of_the_reference_have_the_products_name(client, path):
    assert "<title>Music API: " in client.get(path, HTTP_ACCEPT="text/html").content.decode()


@pytest.mark.django_db
def test_redocs_logo_from_another_server_is_not_loaded(client):
    page = client.get("/api/redoc", HTTP_ACCEPT="text/html").content.decode()
    scripts = re.findall(r'<script src="([^"]+)"', page)

    assert [script.rpartition("/")[2] for script in scripts] == ["redoc.js", "redoc.standalone.js"]
    assert all(client.get(script).status_code == 200 for script in scripts)


@pytest.mark.django_db
def test_an_account_is_deleted_with_the_documented_body(api_as, artist):
    assert api_as(artist).delete("/api/profile", {"password": PASSWORD}).status_code == 204
