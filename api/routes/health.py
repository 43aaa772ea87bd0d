"""Whether the process is up, whether it can do its work, and its figures."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from api import metrics
from api.bodies import Answer
from api.callers import PUBLIC, OperatorOrAuditor
from api.logs import log
from api.service import Service, Serving
from ledger import store
from ledger.errors import DatabaseError
from sealing.key_service import check_keystore
from sealing.witness_states import witness_states

router: Final = APIRouter(tags=["operation"])


class Health(Answer):
    """The process answers."""

    status: str


class Readiness(Answer):
    """Each thing a seal use needs, by name."""

    ready: bool
    checks: dict[str, bool]
    unwitnessed: list[str]
    """Names of the witnesses that did not cosign when they were last asked."""


@router.get("/health", operation_id="health", dependencies=[PUBLIC])
def health() -> Health:
    """Whether the process is up; touches nothing else."""
    return Health(status="up")


@router.get(
    "/ready",
    operation_id="readiness",
    dependencies=[PUBLIC],
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "at least one check failed"}},
)
def readiness(service: Serving) -> Response:
    """Whether database, keys, the signed record, the document store and the workers can be used."""
    checks = {name: _works(name, check, service) for name, check in _CHECKS.items()}
    answer = Readiness(ready=all(checks.values()), checks=checks, unwitnessed=_unwitnessed(service))
    return JSONResponse(answer.model_dump(), 200 if answer.ready else 503)


@router.get("/metrics", operation_id="metrics", response_class=Response)
def figures(service: Serving, _caller: OperatorOrAuditor) -> Response:
    """Figures in the Prometheus text format."""
    return Response(service.metrics.text(), media_type=metrics.MEDIA_TYPE)


def _works(name: str, check: Callable[[Service], Any], service: Service) -> bool:
    try:
        return check(service) is not False
    except Exception:  # noqa: BLE001  whatever it is, the answer is "not ready", and the log says why
        log.warning("not_ready", check=name, exc_info=True)
        return False


def _unwitnessed(service: Service) -> list[str]:
    try:
        return [each.name for each in witness_states(service.shop) if not each.good]
    except DatabaseError:
        return [each.identity.name for each in service.shop.witnesses]


def _database(service: Service) -> None:
    with service.shop.database.read() as connection:
        store.read_head(connection)


def _record(service: Service) -> None:
    """The newest checkpoint still fits the record that this process has verified, and no witness contradicts it."""
    service.shop.book.check_refusal()
    with service.shop.database.read() as connection:
        size = store.read_head(connection).range.size
        service.shop.book.trusted(connection, size - 1)


_CHECKS: Final[dict[str, Callable[[Service], Any]]] = {
    "database": _database,
    "keystore": lambda service: check_keystore(service.shop.keystore, service.shop.installation.log_key),
    "record": _record,
    "documents": lambda service: service.shop.documents.incoming.is_dir(),
    "workers": lambda service: service.shop.workers is not None,
}
