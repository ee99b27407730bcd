"""The people of the town: forty in eight families, and as many newcomers, with their work.

The town is invented. Names are common Korean given names, English by the Revised Romanisation. What
this module leaves out: where people are at the moment, which is the matter of
`companion.data.town.stories`.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

from dataclasses import dataclass

from companion.data.town.nouns import NOUNS, Noun

MEN = """
민준 Minjun, 서준 Seojun, 도윤 Doyun, 지호 Jiho, 현우 Hyeonu, 준서 Junseo, 건우 Geonu, 우진 Ujin
영수 Yeongsu, 철수 Cheolsu, 상철 Sangcheol, 진호 Jinho, 동현 Donghyeon, 성민 Seongmin
기훈 Gihun, 태식 Taesik, 병철 Byeongcheol, 만수 Mansu, 춘식 Chunsik, 덕구 Deokgu
"""
WOMEN = """
서연 Seoyeon, 하은 Haeun, 지우 Jiu, 민서 Minseo, 수빈 Subin, 예은 Yeeun, 수아 Sua, 보라 Bora
미영 Miyeong, 은정 Eunjeong, 혜진 Hyejin, 유진 Yujin, 소라 Sora, 정희 Jeonghui
영희 Yeonghui, 나래 Narae, 순자 Sunja, 말순 Malsun, 정숙 Jeongsuk, 옥분 Okbun
"""
FAMILY_NAMES = "김 Kim, 이 Lee, 박 Park, 최 Choe, 정 Jeong, 강 Kang, 조 Jo, 윤 Yun"
# Those of the large vocabulary alone.
MORE_MEN = """
시우 Siu, 하준 Hajun, 주원 Juwon, 은우 Eunu, 유찬 Yuchan, 승민 Seungmin, 태양 Taeyang, 한결 Hangyeol
재호 Jaeho, 광수 Gwangsu, 인철 Incheol, 경민 Gyeongmin, 종훈 Jonghun, 형식 Hyeongsik
용준 Yongjun, 석진 Seokjin, 영철 Yeongcheol, 달수 Dalsu, 판석 Panseok, 두식 Dusik
"""
MORE_WOMEN = """
다은 Daeun, 채원 Chaewon, 소윤 Soyun, 아린 Arin, 나은 Naeun, 가영 Gayeong, 세아 Sea, 초롱 Chorong
지혜 Jihye, 현정 Hyeonjeong, 윤희 Yunhui, 선영 Seonyeong, 경아 Gyeonga, 미란 Miran
은숙 Eunsuk, 주희 Juhui, 복순 Boksun, 영자 Yeongja, 금례 Geumnye, 분이 Buni
"""
MORE_FAMILY_NAMES = "장 Jang, 임 Im, 한 Han, 오 Oh, 서 Seo, 신 Shin, 권 Gwon, 황 Hwang"
# What B is to A, by the generations and sexes of a family.
KINSHIP = {
    "아버지": "father",
    "어머니": "mother",
    "아들": "son",
    "딸": "daughter",
    "남편": "husband",
    "아내": "wife",
    "할아버지": "grandfather",
    "할머니": "grandmother",
    "손자": "grandson",
    "손녀": "granddaughter",
    "누나": "elder sister",
    "남동생": "younger brother",
}


@dataclass(frozen=True, eq=False)  # a word is itself: nothing is compared field by field
class Person:
    """One inhabitant.

    Parameters
    ----------
    ko, en : str
        The given name.
    gender : str
        "m" or "f".
    age : int
        In years.
    family_ko, family_en : str
        The family name.
    job : Noun or None
        What the person works as; None for children and pensioners.
    core : bool, default True
        Whether the person belongs to the small vocabulary.
    """

    ko: str
    en: str
    gender: str
    age: int
    family_ko: str
    family_en: str
    job: Noun | None
    core: bool = True


def _pairs(text: str) -> list[tuple[str, str]]:
    entries = text.replace("\n", ",").split(",")
    return [tuple(entry.split()) for entry in entries if entry.strip()]  # type: ignore[misc]


def _settle(
    men_text: str, women_text: str, family_names: str, jobs: tuple[Noun, ...], *, core: bool
) -> tuple[tuple[Person, ...], dict[tuple[str, str], str]]:
    """Make eight families, and note who is what to whom: (A, B) to what B is to A, in Korean."""
    men, women, names = _pairs(men_text), _pairs(women_text), _pairs(family_names)
    people: list[Person] = []
    kin: dict[tuple[str, str], str] = {}
    for i, family in enumerate(names):

        def add(name: tuple[str, str], gender: str, age: int, job: Noun | None = None) -> Person:
            person = Person(*name, gender, age, *family, job, core)  # noqa: B023 - used at once
            people.append(person)
            return person

        father = add(men[8 + i], "m", 38 + i, jobs[2 * i])
        mother = add(women[8 + i], "f", 37 + i, jobs[2 * i + 1])
        daughter, son = add(women[i], "f", 12 + i % 5), add(men[i], "m", 8 + i % 4)
        kin |= {
            (father.ko, mother.ko): "아내",
            (mother.ko, father.ko): "남편",
            (son.ko, daughter.ko): "누나",
            (daughter.ko, son.ko): "남동생",
        }
        for parent in (father, mother):
            kin |= {(parent.ko, son.ko): "아들", (parent.ko, daughter.ko): "딸"}
        for child in (son, daughter):
            kin |= {(child.ko, father.ko): "아버지", (child.ko, mother.ko): "어머니"}
        if i % 2 == 0:
            grandfather = add(men[16 + i // 2], "m", 66 + i)
            grandmother = add(women[16 + i // 2], "f", 65 + i)
            kin |= {
                (grandfather.ko, grandmother.ko): "아내",
                (grandmother.ko, grandfather.ko): "남편",
            }
            for old in (grandfather, grandmother):
                kin |= {(old.ko, son.ko): "손자", (old.ko, daughter.ko): "손녀"}
                kin |= {(old.ko, father.ko): "아들"}
            for child in (son, daughter):
                kin |= {(child.ko, grandfather.ko): "할아버지"}
                kin |= {(child.ko, grandmother.ko): "할머니"}
            kin |= {(father.ko, grandfather.ko): "아버지", (father.ko, grandmother.ko): "어머니"}
    return tuple(people), kin


PEOPLE, KIN = _settle(MEN, WOMEN, FAMILY_NAMES, NOUNS["job"][:16], core=True)
NEWCOMERS, MORE_KIN = _settle(
    MORE_MEN, MORE_WOMEN, MORE_FAMILY_NAMES, NOUNS["job"][16:], core=False
)
ROLES = (*NOUNS["role_m"], *NOUNS["role_f"])
# Pairs that differ in gender alone, for analogies.
PAIRS = tuple(zip(NOUNS["role_m"], NOUNS["role_f"], strict=True))
