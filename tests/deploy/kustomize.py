"""Puts an overlay together as kustomize does, as far as ours go; whatever else a file asks for is refused.

Source: kustomize's reference (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/) and
Kubernetes' strategic merge: mappings merge, lists of these fields merge by their key, others are replaced.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

Thing = dict[str, Any]
_KNOWN = {
    "apiVersion", "kind", "namespace", "resources", "components", "images", "labels", "patches",
}  # fmt: skip
_KEYS = {
    "containers": "name", "initContainers": "name", "env": "name", "volumes": "name",
    "volumeMounts": "mountPath", "ports": "containerPort",
}  # fmt: skip
_WITHOUT_NAMESPACE = {"Namespace", "PriorityClass"}


def documents(path: Path) -> list[Thing]:
    loaded = yaml.load_all(path.read_text(), yaml.CSafeLoader)
    return [document for document in loaded if document is not None]


def rendered(folder: Path) -> list[Thing]:
    """Every object of the kustomization in `folder`."""
    return _applied(folder, [])


def _applied(folder: Path, things: list[Thing]) -> list[Thing]:
    (order,) = documents(folder / "kustomization.yaml")
    assert set(order) <= _KNOWN, f"{folder}: {set(order) - _KNOWN} is not told here"
    for name in order.get("resources", ()):
        path = (folder / name).resolve()
        assert path.exists(), path
        things = things + (rendered(path) if path.is_dir() else documents(path))
    for name in order.get("components", ()):
        things = _applied((folder / name).resolve(), things)
    patches = [
        (change, patch.get("target"))
        for patch in order.get("patches", ())
        for change in documents(folder / patch["path"])
    ]
    for change, target in patches:
        things = _patched(things, change, target)
    for each in things:
        _finish(each, order)
    return things


def _finish(thing: Thing, order: Thing) -> None:
    if "namespace" in order and thing["kind"] not in _WITHOUT_NAMESPACE:
        thing["metadata"]["namespace"] = order["namespace"]
    for labels in order.get("labels", ()):
        _label(thing, labels)
    images = {image["name"]: image for image in order.get("images", ())}
    for container in containers(thing):
        if (image := images.get(container.get("image"))) is not None:
            container["image"] = f"{image['newName']}@{image['digest']}"


def pod_of(thing: Thing) -> Thing | None:
    """The pod's template of a deployment, job or stateful set."""
    spec = thing.get("spec")
    return spec.get("template") if isinstance(spec, dict) else None


def containers(thing: Thing) -> Iterator[Thing]:
    pod = pod_of(thing)
    if pod is not None:
        yield from pod["spec"]["containers"]


def _label(thing: Thing, labels: Thing) -> None:
    places = [thing]
    if labels.get("includeTemplates") and (pod := pod_of(thing)) is not None:
        places.append(pod)
    for place in places:
        place.setdefault("metadata", {}).setdefault("labels", {}).update(labels["pairs"])


def _patched(things: list[Thing], change: Thing, target: Thing | None) -> list[Thing]:
    hit = [thing for thing in things if _is_meant(thing, change, target)]
    assert hit, f"nothing is meant by {change['kind']} {change['metadata']['name']}"
    body = {key: value for key, value in change.items() if key not in {"apiVersion", "kind"}}
    if target is not None:
        body.pop("metadata")
    if body.pop("$patch", None) == "delete":
        return [thing for thing in things if thing not in hit]
    return [_merged(thing, body) if thing in hit else thing for thing in things]


def _is_meant(thing: Thing, change: Thing, target: Thing | None) -> bool:
    if target is None:
        same = thing["apiVersion"] == change["apiVersion"] and thing["kind"] == change["kind"]
        return bool(same and thing["metadata"]["name"] == change["metadata"]["name"])
    labels = thing["metadata"].get("labels", {})
    wanted = dict(pair.split("=") for pair in target.get("labelSelector", "").split(",") if pair)
    kind = re.fullmatch(target.get("kind", ".*"), thing["kind"])
    return kind is not None and wanted.items() <= labels.items()


def _merged(old: Any, new: Any, field: str = "") -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        found = deepcopy(old)
        for key, value in new.items():
            if value is None:
                found.pop(key, None)
            else:
                found[key] = _merged(found.get(key), value, key)
        return found
    key = _KEYS.get(field)
    if isinstance(old, list) and isinstance(new, list) and key is not None:
        changes = {each[key]: each for each in new}
        kept = [_merged(each, changes.pop(each[key], {})) for each in old]
        return kept + [deepcopy(each) for each in changes.values()]
    return deepcopy(new)
