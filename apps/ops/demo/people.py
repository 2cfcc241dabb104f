"""The members of the demo: invented people who show their homes and talk about each other's."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DemoMember:
    """One member; `username` follows the rules of signup, `kind` is that of a profile."""

    username: str
    display_name: str
    bio: str
    kind: Literal["common", "designer"]


MEMBERS: tuple[DemoMember, ...] = (
    DemoMember(
        "seoyeon.home",
        "서연이네",
        "아이 둘, 남편 하나, 화분 열세 개와 삽니다. "
        "치워도 치워도 티 안 나는 집이지만 해 질 무렵 거실은 꽤 예뻐요.",
        "common",
    ),
    DemoMember(
        "hanok_minjae",
        "민재의 한옥살이",
        "서촌 골목 끝 작은 한옥을 3년째 고치는 중. 마루 닦는 게 취미가 될 줄은 몰랐습니다.",
        "common",
    ),
    DemoMember(
        "studio.dami",
        "다미 스튜디오",
        "주거 공간 디자이너. 예쁜 집보다 잘 맞는 집을 만듭니다. "
        "작은 집, 오래된 집 고치는 일을 좋아해요.",
        "designer",
    ),
    DemoMember(
        "plan.b.seo",
        "플랜비 서 소장",
        "평면부터 다시 그리는 인테리어 소장. 현장에서 먹는 믹스커피로 움직입니다. "
        "시공 과정도 숨김없이 올려요.",
        "designer",
    ),
    DemoMember(
        "bora_room",
        "보라방",
        "보라색이라면 일단 장바구니. 부모님 반대를 무릅쓰고 칠한 내 방 기록 💜",
        "common",
    ),
    DemoMember(
        "two_cats_home",
        "두부와 감자네",
        "고양이 두부(흰색)와 감자(치즈)를 모시는 집사. 패브릭 소파는 포기한 지 오래입니다.",
        "common",
    ),
    DemoMember(
        "haneul.92",
        "하늘",
        "일곱 평 자취 6년 차. 이사만 네 번, 짐은 점점 줄고 취향은 점점 또렷해지는 중.",
        "common",
    ),
    DemoMember(
        "slow.yuna",
        "느린 유나",
        "제주에서 작은 빌라를 고쳐 삽니다. 물건은 천천히 고르고 오래 씁니다.",
        "common",
    ),
    DemoMember(
        "old_radio",
        "라디오 수집가 기태",
        "황학동 20년 단골. 고장 난 라디오와 시계를 고쳐서 쓰는 재미로 삽니다. "
        "집사람은 집이 박물관이냐고 합니다.",
        "common",
    ),
    DemoMember(
        "loft.joon",
        "복층 사는 준",
        "계단 오르내리며 운동 대신하는 프리랜서 개발자. 층고 하나 보고 계약했어요.",
        "common",
    ),
    DemoMember(
        "su_newly",
        "신혼집 수",
        "결혼 1년 차, 가구 하나 살 때마다 회의합니다. 반반씩 양보한 집이 생각보다 마음에 들어요.",
        "common",
    ),
    DemoMember(
        "green_doha",
        "도하의 초록방",
        "식물이 먼저, 가구는 나중. 햇빛 드는 방향으로 집을 배치합니다. 분갈이 질문 환영!",
        "common",
    ),
)
