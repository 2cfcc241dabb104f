"""Seed the taxonomies. Existing rows stay: operators may have edited them."""

from django.db import migrations

TERMS = {
    "Pyeong": [
        ("1-7", "1-7평", "1–7 pyeong"),
        ("8-15", "8-15평", "8–15 pyeong"),
        ("16-25", "16-25평", "16–25 pyeong"),
        ("26-", "26평 이상", "26 pyeong and more"),
    ],
    "HousingType": [
        ("villa", "빌라", "Villa"),
        ("apartment", "아파트", "Apartment"),
        ("officetel", "오피스텔", "Officetel"),
        ("one-room", "원룸", "One-room"),
        ("two-three-room", "투쓰리룸", "Two or three rooms"),
        ("duplex", "복층", "Duplex"),
    ],
    "Style": [
        ("modern", "모던", "Modern"),
        ("minimal", "미니멀리즘", "Minimal"),
        ("korean", "한국", "Korean"),
        ("scandinavian", "스칸디나비아", "Scandinavian"),
        ("industrial", "인더스트리얼", "Industrial"),
        ("provence", "프로방스", "Provence"),
        ("romantic", "로맨틱", "Romantic"),
        ("classic", "클래식", "Classic"),
        ("antique", "앤틱", "Antique"),
    ],
    "Color": [
        ("red", "빨강", "Red"),
        ("orange", "주황", "Orange"),
        ("yellow", "노랑", "Yellow"),
        ("green", "초록", "Green"),
        ("blue", "파랑", "Blue"),
        ("navy", "남색", "Navy"),
        ("purple", "보라", "Purple"),
        ("black", "검정", "Black"),
        ("white", "흰색", "White"),
        ("gray", "회색", "Gray"),
        ("beige", "베이지", "Beige"),
        ("brown", "갈색", "Brown"),
    ],
}


def seed(apps, schema_editor):
    for name, terms in TERMS.items():
        model = apps.get_model("posts", name)
        model.objects.bulk_create(
            (
                model(slug=slug, name_ko=name_ko, name_en=name_en, position=position)
                for position, (slug, name_ko, name_en) in enumerate(terms)
            ),
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):
    dependencies = [("posts", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
