"""The right to lead, by the database's own clock."""

from __future__ import annotations

from sqlalchemy import bindparam, case, or_, select, update

from nightowl.adapters.store_sql.schema import LEASES
from nightowl.adapters.store_sql.session import Session
from nightowl.adapters.store_sql.statements import clock
from nightowl.core.errors import LeaseLost
from nightowl.ports import Lease

_NOBODY = ""
_CONFIRM = (
    update(LEASES)
    .where(LEASES.c.name == bindparam("lease"), LEASES.c.holder == bindparam("by"), LEASES.c.epoch == bindparam("at"))
    .values(epoch=LEASES.c.epoch)
)


class SqlLeases:
    """See ``ports.Leases``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def acquire(self, name: str, holder: str, term: float) -> Lease | None:
        """Take a lease that is free, over or already ours; a new holder gets a new epoch. None: another holds it."""
        now = clock(self._connection)
        taken = self._connection.execute(
            update(LEASES)
            .where(LEASES.c.name == name, or_(LEASES.c.holder == holder, LEASES.c.expires <= now))
            # in this order: MariaDB reads a column that was set before it as already new
            .ordered_values(
                (LEASES.c.epoch, case((LEASES.c.holder == holder, LEASES.c.epoch), else_=LEASES.c.epoch + 1)),
                (LEASES.c.holder, holder),
                (LEASES.c.expires, now + term),
            )
        )
        if taken.rowcount == 0:
            return self._create(name, holder, term)
        epoch = self._connection.execute(select(LEASES.c.epoch).where(LEASES.c.name == name)).scalar_one()
        return Lease(name, holder, epoch)

    def renew(self, lease: Lease, term: float) -> bool:
        """Prolong; False: it was lost."""
        return self._update(lease, expires=clock(self._connection) + term)

    def release(self, lease: Lease) -> None:
        """Let another take it at once."""
        self._update(lease, holder=_NOBODY, expires=0.0)

    def holder(self, name: str) -> tuple[str, float] | None:
        """Who holds it and for how many more seconds (negative: over)."""
        left = LEASES.c.expires - clock(self._connection)
        query = select(LEASES.c.holder, left).where(LEASES.c.name == name, LEASES.c.holder != _NOBODY)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (row[0], float(row[1]))

    def confirm(self, lease: Lease) -> None:
        """Raise ``LeaseLost`` unless the lease is ours; its row then stays locked until the transaction's end."""
        if (
            self._connection.execute(_CONFIRM, {"lease": lease.name, "by": lease.holder, "at": lease.epoch}).rowcount
            == 0
        ):
            raise LeaseLost(f"Another process leads {lease.name} now")

    def _create(self, name: str, holder: str, term: float) -> Lease | None:
        expires = self._connection.execute(select(clock(self._connection) + term)).scalar_one()
        created = self._session.insert_new(LEASES, [(name, holder, 1, expires)])
        return Lease(name, holder, 1) if created else None

    def _update(self, lease: Lease, **values: object) -> bool:
        mine = (LEASES.c.name == lease.name, LEASES.c.holder == lease.holder, LEASES.c.epoch == lease.epoch)
        return self._connection.execute(update(LEASES).where(*mine).values(**values)).rowcount > 0
