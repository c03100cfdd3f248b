"""How does each tenant of the service mall do: counters, last call, people waiting, served, the longest wait?"""

from __future__ import annotations

from dashboard.queries.mall import MallNow, mall_now
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import data
from layouts.components.board import board, key
from layouts.components.elements import Element
from layouts.components.fitting import names
from layouts.components.tenant_row import tenant_row

query = mall_now
ROWS = 7
COLUMNS = ("tenant", "counters", "call", "waiting", "called", "served", "gone", "wait")
COUNTED = ("called", "served", "gone")


def draw(answer: MallNow, say: Say) -> Element:
    """Pages of seven tenants in declared order; below them how many are integrated, and who is not yet."""
    here = [tenant for tenant in answer.tenants if tenant.integrated]
    absent = [tenant.short_name for tenant in answer.tenants if not tenant.integrated]
    pages = [here[start : start + ROWS] for start in range(0, max(len(here), 1), ROWS)]
    head = el.div(
        [
            el.span(say(f"panels.mall_tenants.{column}"), className="counted" if column in COUNTED else f"h-{column}")
            for column in COLUMNS
        ],
        className="row h tenant",
    )
    blocks = [
        el.div(
            [head, *[tenant_row(tenant, f"p{at}t{number}", say) for number, tenant in enumerate(page)]],
            className="page tenant-rows", **data(page=str(at)),
        )
        for at, page in enumerate(pages, 1)
    ]
    joined = say("panels.mall_tenants.integrated", n=say.number(len(here)), all=say.number(len(answer.tenants)))
    missing = say("panels.mall_tenants.not_yet", names=names(absent, 24)) if absent else ""
    turned = [
        el.b(say("panels.ecosystem.page", n=at, of=len(pages)), className="turn", **data(page=str(at)))
        for at in range(1, len(pages) + 1)
    ]
    keys = [
        el.span(turned if len(pages) > 1 else [], className="turns"),
        el.b(joined if answer.tenants else "", id="integrated"),
        el.span(missing, id="absent", className="also" + ("" if missing else " is-gone")),
        el.span([key("is-open", say("panels.mall_tenants.key_open")), key("is-closed", say("panels.mall_tenants.key_closed"))],
                className="keys"),
        el.span(say("panels.mall_tenants.key_standard"), className="also line-key"),
    ]
    return board(answer.waiting, [el.div(blocks, className="pages")], say, answer.as_of, keys=keys, look="tenants")
