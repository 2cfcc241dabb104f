"""Products to tag on the demo's photos, by the piece they stand for. All are invented."""

import random
from collections.abc import Sequence
from typing import Any

from apps.ops.demo.rooms import find_spots

# Piece → (name, brand, price in KRW, part of the address). Empty or 0: the member left it out.
Entry = tuple[str, str, int, str]

CATALOGUE: dict[str, tuple[Entry, ...]] = {
    "sofa": (
        ("3인용 패브릭 소파", "보울렌", 890_000, "sofa-301"),
        ("구름 모듈 소파", "누크앤보", 1_290_000, "cloud-sofa"),
        ("라운드 암 소파", "라움베르", 1_120_000, "round-arm"),
    ),
    "table": (
        ("거실 테이블", "결나눔목공", 189_000, "table-low"),
        ("낮은 원목 테이블", "하랑재", 248_000, "low-oak"),
    ),
    "rug": (
        ("사계절 러그 200×140", "포근상점", 129_000, "rug-200"),
        ("세탁되는 면 러그", "담요곳간", 79_000, "cotton-rug"),
    ),
    "lamp": (
        ("장스탠드 조명", "루멘담", 158_000, "stand-light"),
        ("플로어 램프 L1", "빛무리", 99_000, "floor-l1"),
    ),
    "table lamp": (
        ("테이블 램프", "루멘담", 68_000, "table-lamp"),
        ("작은 무드등", "빛무리", 39_000, "mood"),
    ),
    "pendant": (
        ("펜던트 조명", "빛무리", 119_000, "pendant-p2"),
        ("식탁등 (전구색)", "루멘담", 87_000, "dining-light"),
    ),
    "plant": (
        ("화분 포함 중형 식물", "초록당번", 54_000, "green-m"),
        ("토분 25cm", "흙이랑", 28_000, "pot-25"),
        ("이웃이 나눠 준 화분", "", 0, ""),
    ),
    "picture": (
        ("포스터 액자 세트", "벽의온도", 62_000, "poster-set"),
        ("직접 그린 그림", "", 0, ""),
    ),
    "cushion": (
        ("쿠션 커버 45×45", "포근상점", 19_900, "cushion-45"),
        ("리넨 쿠션", "담요곳간", 27_000, "linen-cushion"),
    ),
    "curtain": (
        ("암막 커튼 (맞춤)", "주름결", 142_000, "curtain-fit"),
        ("리넨 커튼 2장", "주름결", 98_000, "curtain-linen"),
    ),
    "bed": (
        ("퀸 침대 프레임", "잠든숲", 680_000, "bed-q"),
        ("워싱 면 이불 세트", "포근상점", 159_000, "bedding"),
    ),
    "nightstand": (("협탁", "결나눔목공", 89_000, "side-table"),),
    "wardrobe": (("2도어 옷장", "라움베르", 540_000, "wardrobe-2"),),
    "chest": (
        ("수납장", "하랑재", 320_000, "chest-3"),
        ("서랍장 (중고)", "", 70_000, ""),
    ),
    "shelf": (
        ("5단 책장", "결나눔목공", 210_000, "shelf-5"),
        ("책장", "모노레아", 145_000, "bookcase"),
    ),
    "desk": (
        ("원목 책상 1400", "결나눔목공", 390_000, "desk-1400"),
        ("서랍 책상", "모노레아", 198_000, "desk-drawer"),
    ),
    "chair": (
        ("다이닝 체어", "누크앤보", 118_000, "chair-d1"),
        ("나무 의자", "하랑재", 96_000, "chair-wood"),
    ),
    "stool": (("스툴", "모노레아", 45_000, "stool"),),
    "armchair": (("1인 안락의자", "보울렌", 460_000, "armchair"),),
    "dining table": (
        ("4인 식탁 1500", "하랑재", 450_000, "dining-1500"),
        ("원형 다리 식탁", "누크앤보", 398_000, "dining-round-leg"),
    ),
    "fridge": (("냉장고", "", 1_650_000, ""),),
    "pot": (
        ("법랑 냄비 20cm", "부엌달력", 52_000, "pot-20"),
        ("무쇠 냄비", "부엌달력", 138_000, "iron-pot"),
    ),
    "bath": (("독립형 욕조", "물결터", 920_000, "tub"),),
    "vanity": (("세면대 하부장", "물결터", 310_000, "vanity"),),
    "mirror": (("벽걸이 거울", "유리온담", 76_000, "mirror"),),
    "towel": (("호텔 수건 5장", "포근상점", 34_900, "towel-5"),),
    "shoe cabinet": (("신발장", "라움베르", 480_000, "shoe-cabinet"),),
    "bench": (("현관 벤치", "결나눔목공", 129_000, "bench"),),
    "door": (("현관문 시트지", "벽의온도", 45_000, "door-film"),),
    "clock": (("괘종시계 (수리품)", "", 10_000, ""),),
    "fireplace": (("벽난로 콘솔", "라움베르", 350_000, "mantel"),),
    "tv": (("55형 텔레비전", "", 790_000, ""),),
}

# A style's own word for a piece.
BY_STYLE: dict[tuple[str, str], Entry] = {
    ("korean", "sofa"): ("보료 세트", "쪽빛살림", 420_000, "boryo"),
    ("korean", "table"): ("나주 소반", "하랑재", 280_000, "soban"),
    ("korean", "lamp"): ("한지 스탠드", "쪽빛살림", 135_000, "hanji-lamp"),
    ("korean", "pendant"): ("한지 펜던트", "쪽빛살림", 92_000, "hanji-pendant"),
    ("korean", "bed"): ("목화솜 요", "쪽빛살림", 240_000, "cotton-yo"),
    ("korean", "chest"): ("반닫이", "하랑재", 860_000, "bandaji"),
    ("korean", "plant"): ("소나무 분재", "초록당번", 180_000, "pine"),
    ("industrial", "sofa"): ("빈티지 가죽 소파", "라움베르", 1_480_000, "leather"),
    ("industrial", "table"): ("바퀴 달린 원목 테이블", "쇠와나무", 230_000, "cart-table"),
    ("industrial", "plant"): ("기둥 선인장", "초록당번", 65_000, "cactus"),
    ("provence", "plant"): ("라벤더 화분", "초록당번", 18_000, "lavender"),
    ("provence", "sofa"): ("리넨 스커트 소파", "보울렌", 980_000, "skirt-sofa"),
    ("romantic", "pendant"): ("크리스털 샹들리에", "루멘담", 268_000, "crystal"),
    ("romantic", "rug"): ("원형 러그 180", "포근상점", 115_000, "round-rug"),
    ("classic", "pendant"): ("촛대 샹들리에", "루멘담", 342_000, "candle"),
    ("antique", "rug"): ("페르시아 무늬 러그", "담요곳간", 290_000, "persian"),
    ("antique", "pendant"): ("스테인드글라스 등", "빛무리", 210_000, "stained"),
    ("antique", "sofa"): ("터프티드 벨벳 소파", "라움베르", 1_350_000, "tufted"),
}


def products_for(
    *,
    room: str,
    style: str,
    colors: Sequence[str],
    housing_type: str,
    seed: int,
    size: tuple[int, int],
) -> tuple[dict[str, Any], ...]:
    """One to three products, each at a piece of furniture of that very picture."""
    spots = find_spots(
        room=room, style=style, colors=colors, housing_type=housing_type, seed=seed, size=size
    )
    rng = random.Random(seed)
    names = [n for n in spots if n in CATALOGUE]
    rng.shuffle(names)
    chosen: list[str] = []
    for name in names:
        x, y = spots[name]
        # Tags that lie on one another cannot be tapped.
        if all(abs(x - spots[o][0]) + abs(y - spots[o][1]) > 0.12 for o in chosen):
            chosen.append(name)
    return tuple(_product(n, style, spots[n], rng) for n in chosen[: rng.randint(1, 3)])


def _product(name: str, style: str, at: tuple[float, float], rng: random.Random) -> dict[str, Any]:
    label, brand, price, slug = BY_STYLE.get((style, name)) or rng.choice(CATALOGUE[name])
    product: dict[str, Any] = {"x": at[0], "y": at[1], "name": label}
    if brand:
        product["brand"] = brand
    if slug:
        product["url"] = f"https://example.com/items/{slug}"
    if price and rng.random() < 0.85:
        product["price"] = price
    return product
