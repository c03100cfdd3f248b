"""One tenant of the service mall in a row: counters, last call, people waiting, called, served and gone, the longest wait."""

from __future__ import annotations

from dashboard.queries.answers import Level
from dashboard.queries.mall import Tenant
from dashboard.words import Say
from layouts.components import elements as el
from layouts.components.attributes import aria, data
from layouts.components.elements import Element
from layouts.components.fitting import fit
from layouts.components.shapes import shape

SEATS, SEAT_STEP = 5, 40
PEOPLE, PERSON_STEP = 8, 32
WAIT_WIDTH, STANDARD_AT = 250, 104
LONGEST_SHARE = WAIT_WIDTH / STANDARD_AT


def _counters(tenant: Tenant, key: str, say: Say) -> Element:
    """Open counters filled, closed ones dashed; beyond five, or where nobody tells, in figures."""
    opened = tenant.open or 0
    many = max(tenant.planned, opened) > SEATS or tenant.open is None
    seats = "".join(f"M{at * SEAT_STEP + 2} 6h32v32h-32Z" for at in range(0 if many else opened))
    closed = "".join(f"M{at * SEAT_STEP + 4} 8h28v28h-28Z" for at in range(opened, 0 if many else max(tenant.planned, opened)))
    told = say("panels.mall_tenants.of", n=say.number(opened), all=say.number(tenant.planned))
    plain = say("panels.mall_tenants.planned", n=say.number(tenant.planned)) if tenant.open is None else told
    return el.div(
        [
            el.svg(
                [
                    el.path(id=f"{key}-seats", d=seats, className="seat"),
                    el.path(id=f"{key}-closed", d=closed, className="seat closed"),
                ],
                id=f"{key}-counters", className="seats" + (" is-gone" if many else ""),
                viewBox=f"0 0 {SEATS * SEAT_STEP} 44", role="img", **aria(label=told),
            ),
            el.span(plain if many else "", id=f"{key}-of", className="of" + ("" if many else " is-gone")),
        ],
        className="counters-cell",
        **data(label=say("panels.mall_tenants.counters")),
    )


def _call(tenant: Tenant, key: str, say: Say) -> Element:
    """The last call: its ticket and its hour; the hour in the colour of the alarm when nobody was called since."""
    called = tenant.last_call_at is not None
    quiet = say("panels.mall_tenants.no_call") if tenant.is_open else say("panels.mall_tenants.closed")
    time = say.time(tenant.last_call_at) if tenant.last_call_at is not None else ""
    tone = "warning" if tenant.uncalled is not None else "plain"
    return el.div(
        [
            el.span(
                tenant.ticket, id=f"{key}-ticket", className=f"n{fit(tenant.ticket, 5, 6, 8)}" + ("" if called else " is-gone")
            ),
            el.span(time if called else quiet, id=f"{key}-called", className=f"w st c-{tone}"),
        ],
        className="call-cell",
        **data(label=say("panels.mall_tenants.call")),
    )


def _waiting(tenant: Tenant, key: str, say: Say) -> Element:
    """People waiting: the number, and one figure for each up to eight."""
    shown = min(tenant.waiting, PEOPLE)
    people = "".join(
        f"M{at * PERSON_STEP + 3} 12a9 9 0 1 0 18 0a9 9 0 1 0 -18 0ZM{at * PERSON_STEP - 1} 42a13 14 0 0 1 26 0Z"
        for at in range(shown)
    )
    text = say.number(tenant.waiting)
    return el.div(
        [
            el.span(text, id=f"{key}-waiting", className=f"v{fit(text, 2, 3, 4)}" + ("" if tenant.waiting else " is-zero")),
            el.svg(
                [el.path(id=f"{key}-people", d=people, className="people")],
                className="crowd", viewBox=f"-2 0 {PEOPLE * PERSON_STEP + 2} 44", **aria(hidden="true"),
            ),
        ],
        className="waiting-cell",
        **data(label=say("panels.mall_tenants.waiting")),
    )


def _count(name: str, count: int, key: str, say: Say) -> Element:
    text = say.number(count)
    return el.div(
        el.span(text, id=f"{key}-{name}-count", className=f"v{fit(text, 2, 4, 5)}" + ("" if count else " is-zero")),
        className=f"count-cell {name}",
        **data(label=say(f"panels.mall_tenants.{name}")),
    )


def _wait(tenant: Tenant, key: str, say: Say) -> Element:
    """The longest wait now as a share of the standard, which is at the same place in every row; else what there is to say."""
    waits, standard = tenant.longest is not None, tenant.standard
    share = (tenant.longest or 0.0) / standard if standard else 0.0
    long = round(max(min(share, LONGEST_SHARE) * STANDARD_AT, 2), 1)
    bar = f"M0 8h{long:g}v36h{-long:g}Z" if waits and standard else ""
    scheduled = ""
    if tenant.opens_on:
        days = say.join([say(f"panels.mall_tenants.days.{day}") for day in tenant.opens_on], most=7)
        scheduled = say("panels.mall_tenants.scheduled", days=days)
    number = say.number(tenant.longest) if tenant.longest is not None else ""
    level = tenant.level
    told = ""
    if standard is not None:
        told = say("panels.mall_tenants.standard", n=say.number(standard, 0 if standard == int(standard) else 1))
    return el.div(
        [
            el.svg(
                [
                    el.path(id=f"{key}-bar", d=bar, className=f"wait is-{level.value}"),
                    el.path(
                        id=f"{key}-standard", d=f"M{STANDARD_AT} -4V56",
                        className="standard" + ("" if standard is not None else " is-absent"),
                    ),
                ],
                id=f"{key}-times", className="wait-bar" + (" is-gone" if scheduled else ""), viewBox=f"0 0 {WAIT_WIDTH} 52",
                role="img", **aria(label=told or say("panels.states.none")),
            ),
            el.span(number, id=f"{key}-longest", className=f"v{fit(number, 2, 3, 4)}" + (" is-gone" if scheduled else "")),
            shape(
                level.value if level is not Level.NORMAL else "attention", f"{key}-shape",
                f" st c-{level.value}" + ("" if level is not Level.NORMAL else " is-absent") + (" is-gone" if scheduled else ""),
            ),
            el.span(scheduled, id=f"{key}-scheduled", className="w scheduled" + ("" if scheduled else " is-gone")),
        ],
        className="wait-cell",
        **data(label=say("panels.mall_tenants.wait")),
    )


def tenant_row(tenant: Tenant, key: str, say: Say) -> Element:
    """The row; ``key`` makes its ids."""
    name = tenant.short_name
    return el.div(
        [
            el.div(name, id=f"{key}-name", className=f"n who{fit(name, 12, 14, 16)}"),
            _counters(tenant, key, say), _call(tenant, key, say), _waiting(tenant, key, say),
            *[_count(name, getattr(tenant, name), key, say) for name in ("called", "served", "gone")], _wait(tenant, key, say),
        ],
        className="row tenant",
    )
