"""What an order sold becomes its lines, entitlements name their line, and each installation has a name of its own.

On the way back, a line after the first becomes an order of its own without a payment page, so that nobody loses a
course; the older version neither refunds it nor asks Stripe about it. Of an order of several lines that is paid only
afterwards, the older version gives the first.
"""

import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns
from dynamic_api.core.tokens import make_public_order_id

revision: str = "b6c3d8e5f172"
down_revision: str | None = "e1f4b7a90c25"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_STATES = "state IN ('pending', 'paid', 'partially_refunded', 'refunded', 'failed', 'expired', 'disputed')"
_MONEY = ("amount", "total_amount", "refunded_amount", "state")
_AMOUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forwards."""
    key = secrets.token_hex(4)
    with op.batch_alter_table("installation") as table:
        table.add_column(sa.Column("key", sa.String(length=20), nullable=False, server_default=key))
    with op.batch_alter_table("installation") as table:
        table.alter_column("key", server_default=None)
    op.create_table(
        "order_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.String(length=120), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("total_amount", _AMOUNT, nullable=True),
        sa.Column("refunded_amount", _AMOUNT, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("withdrawn_at", columns.UTCDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(_STATES, name=op.f("ck_order_lines_state")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_order_lines_amount")),
        sa.CheckConstraint(
            "refunded_amount BETWEEN 0 AND total_amount OR refunded_amount = 0",
            name=op.f("ck_order_lines_refunded_amount"),
        ),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_order_lines_course_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint("order_id", "course_id", name=op.f("uq_order_lines_order_id_course_id")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_lines_order_id_position")),
    )
    op.create_index(op.f("ix_order_lines_course_id"), "order_lines", ["course_id"])
    # What went back may exceed the total of an order whose total was never learned.
    op.execute(
        "INSERT INTO order_lines (order_id, position, course_id, quantity, amount, currency, total_amount, "
        "refunded_amount, state, withdrawn_at) "
        "SELECT id, 1, course_id, 1, amount, currency, total_amount, CASE WHEN refunded_amount > "
        "COALESCE(total_amount, 0) THEN COALESCE(total_amount, 0) ELSE refunded_amount END, state, withdrawn_at "
        "FROM orders ORDER BY id"
    )
    with op.batch_alter_table("entitlements") as table:
        table.add_column(sa.Column("line_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE entitlements SET line_id = (SELECT order_lines.id FROM order_lines "
        "WHERE order_lines.order_id = entitlements.order_id)"
    )
    with op.batch_alter_table("entitlements") as table:
        table.create_foreign_key(op.f("fk_entitlements_line_id"), "order_lines", ["line_id"], ["id"])
        table.create_index(op.f("ix_entitlements_line_id"), ["line_id"])
        table.drop_index(op.f("ix_entitlements_order_id"))
        table.drop_constraint(op.f("fk_entitlements_order_id"), type_="foreignkey")
        table.drop_column("order_id")
    with op.batch_alter_table("orders") as table:
        table.add_column(sa.Column("installation", sa.String(length=20), nullable=False, server_default=key))
        table.drop_index(op.f("ix_orders_course_id"))
        table.drop_constraint(op.f("fk_orders_course_id"), type_="foreignkey")
        table.drop_column("course_id")
        table.drop_column("withdrawn_at")
    with op.batch_alter_table("orders") as table:
        table.alter_column("installation", server_default=None)


def downgrade() -> None:
    """Backwards."""
    _split_orders()
    with op.batch_alter_table("orders") as table:
        table.add_column(sa.Column("course_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("withdrawn_at", columns.UTCDateTime(timezone=True), nullable=True))
        table.drop_column("installation")
    for name in ("course_id", "withdrawn_at"):
        op.execute(
            f"UPDATE orders SET {name} = (SELECT order_lines.{name} FROM order_lines "
            "WHERE order_lines.order_id = orders.id)"
        )
    with op.batch_alter_table("orders") as table:
        table.alter_column("course_id", nullable=False, existing_type=sa.Integer())
        table.create_foreign_key(op.f("fk_orders_course_id"), "courses", ["course_id"], ["id"])
        table.create_index(op.f("ix_orders_course_id"), ["course_id"])
    with op.batch_alter_table("entitlements") as table:
        table.add_column(sa.Column("order_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE entitlements SET order_id = (SELECT order_lines.order_id FROM order_lines "
        "WHERE order_lines.id = entitlements.line_id)"
    )
    with op.batch_alter_table("entitlements") as table:
        table.create_foreign_key(op.f("fk_entitlements_order_id"), "orders", ["order_id"], ["id"])
        table.create_index(op.f("ix_entitlements_order_id"), ["order_id"])
        table.drop_index(op.f("ix_entitlements_line_id"))
        table.drop_constraint(op.f("fk_entitlements_line_id"), type_="foreignkey")
        table.drop_column("line_id")
    op.drop_table("order_lines")
    with op.batch_alter_table("installation") as table:
        table.drop_column("key")


def _split_orders() -> None:
    """Every line after the first becomes an order of its own, with the money that was paid for the line."""
    database = op.get_bind()
    known = sa.MetaData()
    orders, lines, entitlements, gifts = (
        sa.Table(name, known, autoload_with=database) for name in ("orders", "order_lines", "entitlements", "gifts")
    )
    several = sa.select(lines.c.order_id).where(lines.c.position > 1)
    first = sa.select(lines).where(lines.c.position == 1, lines.c.order_id.in_(several))
    for line in database.execute(first).mappings().all():
        money = {name: line[name] for name in _MONEY}
        database.execute(orders.update().where(orders.c.id == line["order_id"]).values(money))
    further = database.execute(sa.select(lines).where(lines.c.position > 1).order_by(lines.c.id)).mappings().all()
    for line in further:
        order = dict(database.execute(sa.select(orders).where(orders.c.id == line["order_id"])).mappings().one())
        del order["id"]
        order |= dict.fromkeys(("session_id", "payment_intent_id", "checkout_url", "receipt_url"))
        order |= {name: line[name] for name in _MONEY}
        order["public_id"] = make_public_order_id()
        number = database.scalar(orders.insert().values(order).returning(orders.c.id))
        gift = database.execute(sa.select(gifts).where(gifts.c.order_id == line["order_id"])).mappings().first()
        if gift is not None:
            database.execute(gifts.insert().values(dict(gift) | {"order_id": number}))
        database.execute(lines.update().where(lines.c.id == line["id"]).values(order_id=number, position=1))
        database.execute(
            entitlements.update()
            .where(entitlements.c.line_id == line["id"])
            .values(source=f"order:{order['public_id']}")
        )
