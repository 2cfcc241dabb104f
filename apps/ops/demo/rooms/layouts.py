"""Which piece stands where, for each kind of room."""

from collections.abc import Callable

from apps.ops.demo.rooms import (
    beds,
    decor,
    fittings,
    kitchens,
    lamps,
    openings,
    plants,
    rugs,
    seats,
    stands,
    tables,
)
from apps.ops.demo.rooms.canvas import Scene, mix, pale
from apps.ops.demo.rooms.shell import draw_shell
from apps.ops.demo.rooms.themes import Theme

Layout = Callable[[Scene, Theme, str, str], None]


def _window(
    sc: Scene, th: Theme, x: float, w: float, sky: str, *, low: float | None = None
) -> None:
    """A window centred at x, as tall as the style has them."""
    sill = {
        "tall": 0.3,
        "slim": 0.12,
        "lattice": 0.12,
        "arched": 0.78,
        "shutter": 0.85,
        "steel": 0.7,
    }.get(th.window, 0.7)
    head = {"lattice": 2.05, "arched": 1.9}.get(th.window, min(2.2, sc.ceiling - 0.3))
    sill = sill if low is None else max(low, sill)
    openings.window(sc, th, x - w / 2, x + w / 2, sill, head, sky)
    sc.spot("window", x, (sill + head) / 2, sc.depth)
    if th.curtain != "none":
        sc.spot("curtain", x - w / 2, 1.0, sc.depth)


def living(sc: Scene, th: Theme, housing: str, sky: str) -> None:
    """A sofa, a table, light and green, in one of four arrangements."""
    draw_shell(sc, th)
    wide, mid = sc.width, 0.0
    plan = sc.rng.randrange(4)
    bare = th.style == "minimal"
    roomy = wide > 3.9
    if housing == "duplex":
        _duplex_living(sc, th, sky)
        return
    if not roomy and plan in {1, 2}:
        plan = 3
    sofa_w = min(2.25, wide * 0.56)
    if plan == 0:
        # The sofa before a wide window.
        _window(
            sc,
            th,
            mid,
            min(2.4, wide * 0.56),
            sky,
            low=0.12 if th.window in {"slim", "lattice"} else None,
        )
        seats.sofa(sc, th, mid, 2.15, sofa_w)
        if not bare:
            lamps.floor_lamp(sc, th, sc.right - 0.42, 2.7)
        plants.plant(sc, th, sc.left + 0.45, 2.6, 1.35)
    elif plan == 1:
        # A window at the left, the sofa and pictures at the right.
        x = sc.left + 0.95
        _window(sc, th, x, 1.05, sky)
        sx = sc.right - sofa_w / 2 - (0.2 if bare else 0.62)
        decor.pictures(sc, th, sx, 1.55, sofa_w * 0.8)
        seats.sofa(sc, th, sx, 2.4, sofa_w)
        plants.plant(sc, th, sc.left + 0.42, 2.6, 1.2)
        if not bare:
            lamps.floor_lamp(sc, th, sc.right - 0.32, 2.6)
    elif plan == 2:
        # What the style is proud of on the wall, an easy chair beside it.
        _proud_wall(sc, th, sky)
    else:
        # Pictures over the sofa, the window aslant in a side wall.
        openings.side_window(sc, th, sc.left, sky)
        decor.pictures(sc, th, mid + 0.1, 1.58, min(1.6, wide * 0.5))
        if th.style == "korean" and roomy:
            stands.screen(sc, th, mid - 1.4, mid + 1.5)
        seats.sofa(sc, th, mid + 0.1, 2.4, sofa_w)
        plants.plant(sc, th, sc.right - 0.38, 2.7, 1.3)
        if not bare:
            lamps.floor_lamp(sc, th, mid - sofa_w / 2 - 0.2, 2.85)
    _middle(sc, th)
    if plan in {0, 2, 3} and th.style not in {"industrial", "korean"} and not bare:
        lamps.pendant(sc, th, 0.15, 1.5, sc.ceiling - 0.62)
    if th.style in {"industrial", "korean"}:
        for u in (-0.5, 0.5) if th.style == "industrial" else (0.15,):
            lamps.pendant(sc, th, u, 1.6, sc.ceiling - 0.66)


def _middle(sc: Scene, th: Theme, x: float = 0.05) -> None:
    """The rug and the low table on it."""
    w = min(2.5, sc.width * 0.6)
    rugs.rug(sc, th, x, 1.35, w, 1.35)
    if th.style == "korean":
        seats.floor_cushion(sc, x - 0.82, 1.35, th.accent)
        seats.floor_cushion(sc, x + 0.82, 1.35, mix(th.textile, th.accent, 0.3))
    tables.coffee_table(sc, th, x, 1.25)
    if th.style == "minimal":
        return
    extra = sc.rng.random()
    if extra < 0.3:
        decor.cat(sc, x + w * (0.42 if sc.rng.random() < 0.5 else -0.4), 0.95)
    elif extra < 0.55 and th.style not in {"korean", "industrial"}:
        decor.basket(sc, th, x - w * 0.62, 1.2)


def _proud_wall(sc: Scene, th: Theme, sky: str) -> None:
    left, right = sc.left, sc.right
    if th.style in {"classic", "romantic", "antique"}:
        stands.fireplace(sc, th, 0.0)
        if th.style == "romantic":
            decor.mirror(sc, th, 0.0, 1.85, 0.3)
        else:
            decor.picture(sc, th, 0.0, 1.74, 0.78, 0.6, "square")
        _window(sc, th, right - 0.62 - 0.3, 0.72, sky)
        if th.style == "antique":
            stands.tall_clock(sc, th, left + 0.42)
        else:
            plants.plant(sc, th, left + 0.45, 2.8, 1.4)
    elif th.style == "korean":
        _window(sc, th, right - 1.15, 1.5, sky)
        z = stands.chest(sc, th, left + 0.35, left + 1.55, 0.72)
        decor.picture(sc, th, left + 0.95, 1.5, 0.9, 0.5)
        decor.vase(sc, th, left + 0.65, 0.72, z + 0.2, 1.5)
        lamps.floor_lamp(sc, th, left + 1.85, 3.0)
    elif th.style == "minimal":
        _window(sc, th, right - 1.1, 1.4, sky)
        plants.plant(sc, th, left + 0.6, 2.7, 1.25)
    elif th.style == "provence":
        _window(sc, th, right - 1.3, 0.9, sky)
        z = stands.chest(sc, th, left + 0.25, left + 1.55, 0.84)
        stands.dress_top(sc, th, left + 0.25, left + 1.55, 0.84, z + 0.2)
        decor.mirror(sc, th, left + 0.9, 1.55, 0.3, arched=True)
    else:
        stands.tv_wall(sc, th, left + 1.25, 1.9)
        _window(sc, th, right - 0.92, 1.0, sky)
        plants.plant(sc, th, right - 0.3, 2.8, 1.25)
    chair = th.textile if th.style != "industrial" else (150, 86, 50)
    if th.style not in {"korean", "minimal"}:
        seats.armchair(sc, th, right - 0.75, 1.75, chair)
        if th.style in {"classic", "antique", "romantic"}:
            seats.armchair(sc, th, left + 0.8, 1.75, chair)
    elif th.style == "minimal":
        seats.sofa(sc, th, 0.1, 2.0, 1.5)


def _duplex_living(sc: Scene, th: Theme, sky: str) -> None:
    left, right = sc.left, sc.right
    edge = left + sc.width * 0.5
    w = min(1.7, sc.width * 0.34)
    x = left + w / 2 + 0.35
    head = sc.ceiling - 0.45
    sill = 0.3 if th.window not in {"shutter", "arched"} else 0.8
    openings.window(
        sc, th, x - w / 2, x + w / 2, sill, head - (0.3 if th.window == "arched" else 0), sky
    )
    sc.spot("window", x, 1.8, sc.depth)
    if th.style not in {"minimal", "classic"}:
        decor.picture(sc, th, edge + 0.5, 1.45, 0.42, 0.54, "square" if th.art == "oval" else "")
    if th.style == "classic":
        stands.fireplace(sc, th, edge + 1.0)
    elif th.style == "minimal" or sc.rng.random() < 0.4:
        tables.desk(sc, th, edge + 1.1, 1.2)
        seats.chair(sc, th, edge + 1.0, 2.3, facing=False)
    elif th.clutter > 0.4:
        stands.shelf_unit(sc, th, edge + 0.85, min(edge + 1.7, right - 0.85), 1.6)
    fittings.loft(sc, th, edge, 2.12, 1.2)
    sofa_w = min(2.0, sc.width * 0.42)
    seats.sofa(sc, th, left + 0.35 + sofa_w / 2, 2.2, sofa_w)
    plants.plant(sc, th, left + 0.35, 1.95, 1.3)
    _middle(sc, th, -0.45)
    lamps.pendant(sc, th, -0.5, 1.7, sc.ceiling - 1.15)


def bedroom(sc: Scene, th: Theme, housing: str, sky: str) -> None:
    """A bed at the back wall, tables beside it, a window or pictures."""
    draw_shell(sc, th)
    roomy = sc.width > 3.7
    w = (
        min(1.6, sc.width * 0.42)
        if housing not in {"one-room", "officetel"}
        else min(1.3, sc.width * 0.38)
    )
    plan = sc.rng.randrange(3)
    x = 0.0 if plan == 0 or not roomy else -0.25
    if housing == "duplex" and roomy:
        fittings.loft(sc, th, sc.left + sc.width * 0.56, 2.12, 1.1)
        x = sc.left + sc.width * 0.28
        plan = 0
    if plan == 0:
        _window(sc, th, x, min(1.7, w * 1.05), sky, low=0.95)
    elif plan == 1 and roomy:
        _window(sc, th, sc.right - 0.85, 0.85, sky)
        decor.pictures(sc, th, x, 1.62, w)
    else:
        openings.side_window(sc, th, sc.left, sky)
        decor.pictures(sc, th, x, 1.64, w)
    if housing != "duplex":
        if plan != 1 and roomy and th.style != "minimal":
            stands.wardrobe(sc, th, sc.right - 1.1, sc.right - 0.02, 2.05)
        elif plan == 1 and th.style == "korean":
            stands.chest(sc, th, sc.left + 0.1, sc.left + 0.75, 0.7)
    side = 0.46
    for s in (-1, 1):
        a = x + s * (w / 2 + 0.12 + side / 2)
        if a - side / 2 < sc.left or a + side / 2 > sc.right - (
            1.12 if plan != 1 and roomy and housing != "duplex" and th.style != "minimal" else 0
        ):
            continue
        if th.style == "minimal" and s > 0:
            continue
        tall = 0.42 if th.style == "korean" else 0.54
        z = stands.chest(sc, th, a - side / 2, a + side / 2, tall, deep=0.4)
        if s < 0:
            lamps.table_lamp(sc, th, a, tall, z + 0.2)
        else:
            decor.vase(sc, th, a, tall, z + 0.2, 0.9)
            sc.spot("nightstand", a, tall, z)
    if th.rug != "none":
        rugs.rug(sc, th, x, 1.15, w + 0.95, 1.3)
    beds.bed(sc, th, x, w)
    if roomy:
        plants.plant(sc, th, sc.left + 0.36, 1.95, 1.15)
    if plan != 0 or th.style in {"romantic", "korean", "classic"}:
        lamps.pendant(sc, th, x + 0.1, 1.6, sc.ceiling - 0.6)


def kitchen(sc: Scene, th: Theme, housing: str, sky: str) -> None:
    """Fittings along the back wall, a table or an island before them."""
    draw_shell(sc, th, wet=True)
    side = "left" if sc.rng.random() < 0.5 else "right"
    roomy = sc.width > 3.8
    if housing == "one-room":
        _one_room(sc, th, sky)
        return
    a, b = sc.left + 0.12, sc.right - 0.12
    if roomy and sc.rng.random() < 0.45:
        a, b = (a, b - 1.1) if side == "left" else (a + 1.1, b)
        x = b + 0.62 if side == "left" else a - 0.62
        _window(sc, th, x, 0.6, sky, low=0.9)
        plants.plant(sc, th, x, 2.9, 1.0)
    else:
        openings.side_window(sc, th, sc.right if side == "left" else sc.left, sky)
    kitchens.kitchen_run(sc, th, a, b, fridge=side)
    if th.style == "korean":
        lamps.pendant(sc, th, 0.0, 1.3, sc.ceiling - 0.7)
        _middle(sc, th)
        return
    x = 0.1 if side == "left" else -0.1
    w = min(1.7, sc.width * 0.44)
    if th.rug != "none" and th.style not in {"modern", "industrial"}:
        rugs.rug(sc, th, x, 1.35, w + 1.0, 1.5)
    for u in (-0.24, 0.24):
        seats.chair(sc, th, x + u * w, 1.85, facing=True)
    sc.shadow(x - w / 2, x + w / 2, 1.1, 1.8, 0.34)
    tables.dining_table(sc, th, x, 1.1, w)
    if th.style in {"industrial", "modern"}:
        for u in (-0.28, 0.28):
            seats.stool(sc, th, x + u * w, 0.85, 0.5)
    elif th.style != "minimal":
        seats.chair(sc, th, x - 0.26 * w, 0.62, facing=False)
        seats.chair(sc, th, x + 0.26 * w, 0.62, facing=False)
    for u in (
        (-0.3, 0.3) if th.style in {"industrial", "scandinavian", "modern", "provence"} else (0.0,)
    ):
        lamps.pendant(sc, th, x + u, 1.45, sc.ceiling - 0.78)


def _one_room(sc: Scene, th: Theme, sky: str) -> None:
    """Kitchen at the left, bed at the right, one table for everything."""
    split = sc.left + sc.width * 0.5
    kitchens.kitchen_run(sc, th, sc.left + 0.08, split - 0.02)
    w = min(1.25, sc.width * 0.33)
    x = sc.right - w / 2 - 0.22
    _window(sc, th, x, min(1.1, w), sky, low=0.95)
    sc.box(split - 0.02, split + 0.06, 0.0, 1.35, sc.depth - 0.62, sc.depth, pale(th.wood, 0.1))
    plants.small_plant(sc, th, split + 0.02, 1.35, sc.depth - 0.4)
    if th.rug != "none":
        rugs.rug(sc, th, -0.15, 1.2, min(1.9, sc.width * 0.46), 1.1)
    beds.bed(sc, th, x, w, long=1.9)
    if th.style == "korean":
        tables.coffee_table(sc, th, -0.4, 1.2)
    else:
        seats.chair(sc, th, sc.left + 1.0, 1.7, facing=True)
        sc.shadow(sc.left + 0.5, sc.left + 1.5, 1.1, 1.7, 0.3)
        tables.dining_table(sc, th, sc.left + 1.0, 1.0, 0.95)
    lamps.pendant(sc, th, sc.left + 1.0, 1.5, sc.ceiling - 0.7)


def study(sc: Scene, th: Theme, housing: str, sky: str) -> None:
    """A desk by the window, books beside it."""
    draw_shell(sc, th)
    roomy = sc.width > 3.8
    plan = sc.rng.randrange(2)
    desk_w = min(1.6, sc.width * 0.46)
    x = -0.35 if roomy else -0.3
    bare = th.style == "minimal"
    if housing == "duplex" and roomy:
        fittings.loft(sc, th, sc.left + sc.width * 0.55, 2.12, 1.1)
        x = sc.left + desk_w / 2 + 0.5
        _window(sc, th, x, 1.2, sky, low=0.9)
    elif plan == 0 or not roomy:
        _window(sc, th, x, min(1.35, desk_w), sky, low=0.9)
        if not bare or roomy:
            wide = 0.8 if roomy else 0.62
            stands.shelf_unit(
                sc, th, sc.right - wide - 0.06, sc.right - 0.06, 2.0 if not bare else 1.2
            )
    else:
        openings.side_window(sc, th, sc.right, sky)
        decor.pictures(sc, th, x, 1.6, desk_w * 0.8)
        stands.shelf_unit(sc, th, sc.right - 1.3, sc.right - 0.15, 2.05 if not bare else 0.9)
    if roomy and not bare and housing != "duplex":
        if th.style == "antique":
            stands.tall_clock(sc, th, sc.left + 0.4)
        else:
            plants.plant(sc, th, sc.left + 0.4, 2.75, 1.2)
    tables.desk(sc, th, x, desk_w)
    if th.rug != "none":
        rugs.rug(sc, th, x + 0.1, 1.4, min(2.0, sc.width * 0.55), 1.25)
    seats.chair(sc, th, x - 0.05, 1.75, facing=False, c=th.textile)
    if roomy and th.style not in {"korean", "minimal"}:
        seats.armchair(sc, th, sc.right - 0.85, 1.35, mix(th.accent, th.textile, 0.35))
    elif th.style == "korean":
        seats.floor_cushion(sc, x + 1.1, 1.5, th.accent)
    if not bare:
        lamps.pendant(sc, th, 0.2, 1.6, sc.ceiling - 0.6)


def bath(sc: Scene, th: Theme, housing: str, sky: str) -> None:
    """A tub, a wash stand, a mirror."""
    draw_shell(sc, th, wet=True)
    fittings.wall_tiles(sc, th, 1.35)
    small = sc.width < 3.6
    tub_w = min(1.7, sc.width * 0.5)
    t0 = sc.right - tub_w - 0.12
    v0, v1 = sc.left + 0.3, sc.left + min(1.25, sc.width * 0.36)
    mid = (v0 + v1) / 2
    win = min(0.9, tub_w * 0.55)
    bare = Theme(**{**th.__dict__, "curtain": "none"})
    head = min(2.0, sc.ceiling - 0.35)
    openings.window(
        sc,
        bare,
        t0 + tub_w / 2 - win / 2,
        t0 + tub_w / 2 + win / 2,
        1.2,
        head - (0.15 if th.window == "arched" else 0),
        sky,
    )
    decor.mirror(sc, th, mid, 1.52, 0.3, arched=th.style in {"classic", "antique", "provence"})
    for u in (-0.42, 0.42):
        if mid + u - 0.06 > sc.left:
            sc.rect(mid + u - 0.02, mid + u + 0.02, 1.42, 1.5, sc.depth - 0.03, th.metal)
            sc.disc(mid + u, 1.58, sc.depth - 0.06, 0.065, (255, 242, 214))
            sc.glow(mid + u, 1.58, sc.depth - 0.06, 0.4, lamps.WARM, 0.45)
    fittings.vanity(sc, th, v0, v1)
    fittings.bath_tub(sc, th, t0, sc.right - 0.12)
    rugs.rug(sc, th, 0.0, 1.75, min(1.3, sc.width * 0.4), 0.7)
    if th.clutter > 0.3:
        seats.stool(sc, th, t0 - 0.05 if small else t0 - 0.2, 2.1, 0.42)
        sc.box(t0 - 0.34, t0 - 0.06, 0.46, 0.53, 2.02, 2.2, pale(th.accent, 0.3), r=0.03)
    plants.plant(sc, th, sc.right - 0.4, 1.7, 1.0)
    lamps.pendant(sc, th, 0.0, 1.7, sc.ceiling - 0.5)


def entrance(sc: Scene, th: Theme, housing: str, sky: str) -> None:
    """The front door, shoes put away, coats on their hooks."""
    draw_shell(sc, th, wet=True)
    door_c = th.accent if th.clutter > 0.5 else mix(th.wood, th.neutral, 0.3)
    if th.style in {"korean", "antique", "classic"}:
        door_c = mix(th.wood, th.accent, 0.1)
    d0 = -0.48
    openings.door(sc, th, d0, d0 + 0.94, 2.05, door_c)
    sc.spot("door", d0 + 0.2, 1.2, sc.depth)
    right = sc.right - 0.1
    room_right = right - (d0 + 1.1)
    if room_right > 0.7:
        fittings.bench(sc, th, max(d0 + 1.16, right - 1.3), right)
    room_left = (d0 - 0.16) - (sc.left + 0.08)
    if room_left > 0.6:
        a = max(sc.left + 0.08, d0 - 0.16 - 1.4)
        fittings.shoe_wall(sc, th, a, d0 - 0.16, min(2.12, sc.ceiling - 0.25))
    # The low end of the floor where shoes come off, as every Korean flat has it.
    sc.flat(sc.left, sc.right, 0, 1.5, 1.56, pale(th.wood, 0.15))
    sc.flat(sc.left, sc.right, 0, 1.56, 1.68, (40, 30, 40), 60)
    mat = mix(th.textile, (92, 80, 70), 0.4)
    sc.flat(-0.5, 0.5, 0, 2.3, 2.9, mat)
    sc.flat(-0.42, 0.42, 0, 2.36, 2.84, pale(mat, 0.18))
    if th.style != "minimal":
        rugs.rug(sc, th, 0.0, 0.75, min(1.6, sc.width * 0.46), 0.9)
    plants.plant(sc, th, sc.left + 0.36, 1.15, 1.15)
    z = 1.25
    if sc.width > 3.4 and th.style != "minimal":
        x = sc.within(sc.right - 0.27, z, 0.2)
        sc.shadow(x - 0.15, x + 0.15, z - 0.1, z + 0.1, 0.4)
        sc.tube(x, z, 0.0, 0.5, 0.11, 0.12, mix(th.metal, th.neutral, 0.3))
        for u, c in ((-0.05, th.accent), (0.03, th.textile)):
            sc.line([(x + u, 0.45, z), (x - 0.03 + u * 2, 0.9, z)], c, 0.035)
            sc.line([(x - 0.03 + u * 2, 0.9, z), (x - 0.06 + u * 2, 0.98, z)], th.wood, 0.02)
    lamps.pendant(sc, th, 0.0, 1.9, sc.ceiling - 0.55)


LAYOUTS: dict[str, Layout] = {
    "living": living,
    "bedroom": bedroom,
    "kitchen": kitchen,
    "study": study,
    "bath": bath,
    "entrance": entrance,
}
