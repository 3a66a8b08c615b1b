"""What shoppers write: searches and reviews in their own language."""

from simulators.life.chance import draw

_REVIEWS = {
    "en": {
        1: ("Broke after two weeks.", "Does not fit, although the page says so."),
        2: ("Loud, and the smell stays.", "Not worth its price."),
        3: ("It does what it should.", "Fine, but delivery took long."),
        4: ("Good, would buy it again.", "Quick to change, works well."),
        5: ("Excellent. The air is so much better!", "Fits perfectly, and my mother loves it."),
    },
    "ko": {
        1: ("2주 만에 고장났어요.", "맞는다고 했는데 안 맞습니다."),
        2: ("소음이 크고 냄새가 남아요.", "가격만큼의 값어치가 없어요."),
        3: ("그냥 무난합니다.", "괜찮은데 배송이 오래 걸렸어요."),
        4: ("좋아요, 다시 살 것 같아요.", "교체가 쉽고 잘 됩니다."),
        5: ("최고예요. 공기가 훨씬 좋아졌어요!", "딱 맞고 어머니가 정말 좋아하세요."),
    },
    "zh": {
        1: ("两周就坏了。", "页面说适配，其实装不上。"),
        2: ("噪音大，还有异味。", "不值这个价。"),
        3: ("一般，够用。", "还行，就是发货慢。"),
        4: ("不错，会再买。", "更换方便，效果好。"),
        5: ("非常好，空气好多了。", "完全适配，妈妈很喜欢。"),
    },
}
_CATEGORIES = {
    "filter": {"en": "filter", "ko": "필터", "zh": "滤芯"},
    "brush": {"en": "brush", "ko": "브러시", "zh": "边刷"},
    "air_purifier": {"en": "air purifier", "ko": "공기청정기", "zh": "空气净化器"},
    "tv": {"en": "tv", "ko": "텔레비전", "zh": "电视"},
    "soundbar": {"en": "soundbar", "ko": "사운드바", "zh": "回音壁"},
    "lamp": {"en": "lamp", "ko": "조명", "zh": "灯"},
}


def write_review(locale: str, rating: int, *what_for: object) -> str:
    """A review of 1 to 5 stars in a language; `what_for` decides which."""
    said = _REVIEWS[locale][rating]
    return said[int(draw("review", *what_for) * len(said))]


def write_search(locale: str, category: str) -> str:
    """What somebody types who looks for a category."""
    return _CATEGORIES.get(category, {}).get(locale, category.replace("_", " "))
