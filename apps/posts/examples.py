"""Examples for the API's document."""

from typing import Any

_ID = "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a31"
_PHOTO_ID = "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a21"
AUTHOR: dict[str, Any] = {
    "id": "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a11",
    "username": "minji.home",
    "display_name": "민지",
    "avatar": None,
}
MEMBER = AUTHOR | {
    "bio": "볕 잘 드는 13평에서 식물과 살아요.",
    "kind": "common",
    "posts_count": 3,
    "followers_count": 12,
    "following_count": 4,
    "followed_by_me": True,
    "follows_me": False,
}
PRODUCT: dict[str, Any] = {"x": 0.42, "y": 0.7, "name": "원목 좌식 테이블", "price": 89000}
PHOTO: dict[str, Any] = {
    "id": _PHOTO_ID,
    "position": 0,
    "caption": "거실에서 제일 좋아하는 자리",
    "width": 4032,
    "height": 3024,
    "blurhash": "LGF5]+Yk^6#M@-5c,1J5@[or[Q6.",
    "palette": [{"hex": "#d8c7a9", "share": 0.61}, {"hex": "#6b4a2f", "share": 0.39}],
    "renditions": [
        {
            "name": name,
            "url": f"https://media.example.com/photos/{_PHOTO_ID}/{name}-0a1b2c3d4e5f.webp",
            "width": width,
            "height": width * 3 // 4,
            "content_type": "image/webp",
        }
        for name, width in (("large", 1600), ("medium", 800), ("small", 320))
    ],
    "products": [PRODUCT],
}
POST_IN: dict[str, Any] = {
    "title": "볕이 드는 13평",
    "content": "이사 온 지 석 달, 드디어 거실이 완성됐어요.",
    "pyeong": "8-15",
    "housing_type": "apartment",
    "styles": ["korean"],
    "colors": ["beige", "brown"],
    "photos": [{"upload_id": _PHOTO_ID, "caption": PHOTO["caption"], "products": [PRODUCT]}],
    "status": "published",
}
CARD: dict[str, Any] = {
    "id": _ID,
    "title": POST_IN["title"],
    "excerpt": POST_IN["content"],
    "author": AUTHOR,
    "cover": PHOTO,
    "photo_count": 1,
    "pyeong": "8-15",
    "housing_type": "apartment",
    "styles": ["korean"],
    "colors": ["beige", "brown"],
    "like_count": 12,
    "comment_count": 3,
    "save_count": 0,
    "liked_by_me": True,
    "saved_by_me": False,
    "published_at": "2026-11-23T09:00:00Z",
}
POST = CARD | {
    "content": POST_IN["content"],
    "photos": [PHOTO],
    "status": "published",
    "edited_at": None,
    "share_url": f"https://api.example.com/p/{_ID}",
}
COMMENT: dict[str, Any] = {
    "id": "019a7c1e-8f3b-7c40-9d55-5d1c0f6e2a41",
    "author": AUTHOR,
    "content": "테이블 어디 제품인가요?",
    "created_at": "2026-11-23T09:05:00Z",
    "edited_at": None,
    "like_count": 0,
    "liked_by_me": False,
    "reply_count": 0,
    "parent_id": None,
}
TAXONOMIES: dict[str, Any] = {
    "pyeong": [{"slug": "8-15", "name": "8-15평"}],
    "housing_type": [{"slug": "apartment", "name": "아파트"}],
    "style": [{"slug": "korean", "name": "한국"}],
    "color": [{"slug": "beige", "name": "베이지"}],
}


def page(item: dict[str, Any]) -> dict[str, Any]:
    """A list of one."""
    return {"items": [item], "next_cursor": None}
