"""The nouns of the town, each in Korean and in English.

A line of a table is ``Korean = English``. A sign before the English tells what it is: ``~`` not
counted (water), ``+`` always plural (shoes), ``^`` without an article (school); ``@in`` that it is
"in the park", not "at". What this module leaves out: people, who are in
`companion.data.town.people`.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """A noun in both languages.

    Parameters
    ----------
    ko, en : str
        Singular; English without article.
    kind : str
        The table in which it stands: "fruit", "drink", "place", ...
    number : str, default "count"
        In English: "count" (an apple, two apples), "mass" (water) or "plural" (shoes).
    article : bool, default True
        Whether English has an article at all.
    preposition : str, default "at"
        How English says that something happens there; for places.
    counter : str, default "개"
        The Korean counting word.
    gender : str, default ""
        "m" or "f" for people and roles; empty otherwise.
    proper : bool, default False
        Whether it is a name.
    """

    ko: str
    en: str
    kind: str
    number: str = "count"
    article: bool = True
    preposition: str = "at"
    counter: str = "개"
    gender: str = ""
    proper: bool = False


TABLES = {
    "fruit": """
        사과 = apple; 배 = pear; 포도 = +grapes; 수박 = watermelon; 딸기 = strawberry
        복숭아 = peach; 감 = persimmon; 귤 = tangerine; 참외 = melon; 자두 = plum; 바나나 = banana
        레몬 = lemon; 체리 = cherry; 살구 = apricot; 석류 = pomegranate
    """,
    "vegetable": """
        감자 = potato; 고구마 = sweet potato; 당근 = carrot; 양파 = onion; 오이 = cucumber
        호박 = pumpkin; 배추 = cabbage; 무 = radish; 토마토 = tomato; 시금치 = ~spinach
        버섯 = mushroom; 콩 = bean; 옥수수 = ~corn; 상추 = lettuce; 가지 = aubergine
    """,
    "dish": """
        밥 = ~rice; 국수 = +noodles; 비빔밥 = ~bibimbap; 불고기 = ~bulgogi
        만두 = dumpling; 떡국 = ~rice cake soup; 냉면 = +cold noodles; 갈비 = +grilled ribs
        볶음밥 = ~fried rice; 된장찌개 = ~soybean stew; 삼계탕 = ~chicken soup
        파전 = green onion pancake; 미역국 = ~seaweed soup; 피자 = pizza
        카레 = ~curry; 생선구이 = ~grilled fish
    """,
    "snack": """
        빵 = ~bread; 떡 = rice cake; 과자 = biscuit; 케이크 = cake
        호떡 = sugar pancake; 붕어빵 = carp bun; 만쥬 = bean bun; 쿠키 = cookie
    """,
    "treat": """
        사탕 = sweet; 초콜릿 = ~chocolate; 아이스크림 = ~ice cream; 약과 = honey cookie
        도넛 = doughnut; 샌드위치 = sandwich; 김치 = ~kimchi; 두부 = ~tofu; 샐러드 = salad
        김밥 = seaweed roll
    """,
    "drink": """
        물 = ~water; 우유 = ~milk; 커피 = ~coffee; 녹차 = ~green tea; 홍차 = ~black tea
        주스 = ~juice; 식혜 = ~rice punch; 수정과 = ~cinnamon punch; 콜라 = ~cola
        유자차 = ~citron tea; 보리차 = ~barley tea; 코코아 = ~cocoa
    """,
    "reading": """
        책 = book; 신문 = newspaper; 잡지 = magazine; 소설 = novel; 시집 = poetry book
        만화책 = comic book; 동화책 = storybook; 사전 = dictionary; 요리책 = cookbook
        역사책 = history book; 일기 = diary; 대본 = script
    """,
    "text": """
        편지 = letter; 엽서 = postcard; 쪽지 = note; 기사 = article; 보고서 = report; 시 = poem
    """,
    "show": """
        영화 = film; 연극 = play; 공연 = show; 인형극 = puppet play; 뉴스 = ~news
        드라마 = drama; 만화 영화 = cartoon; 경기 = match; 다큐멘터리 = documentary
    """,
    "sound": "음악 = ~music; 노래 = song; 이야기 = story; 강의 = lecture; 연설 = speech",
    "clothes": """
        모자 = hat; 외투 = coat; 치마 = skirt; 바지 = +trousers
        장갑 = +gloves; 목도리 = scarf; 셔츠 = shirt; 한복 = hanbok; 안경 = +glasses
        스웨터 = sweater; 조끼 = waistcoat; 앞치마 = apron; 넥타이 = tie; 원피스 = dress
    """,
    "footwear": """
        양말 = +socks; 신발 = +shoes; 장화 = +boots; 슬리퍼 = +slippers; 운동화 = +trainers
    """,
    "vehicle": """
        버스 = bus; 기차 = train; 택시 = taxi; 자동차 = car; 자전거 = bicycle; 지하철 = ^subway
        배 = boat; 오토바이 = motorcycle; 비행기 = plane; 전차 = tram; 트럭 = truck
    """,
    "instrument": """
        피아노 = piano; 기타 = guitar; 바이올린 = violin; 북 = drum; 가야금 = gayageum
        피리 = flute; 첼로 = cello; 하모니카 = harmonica; 장구 = janggu; 해금 = haegeum
    """,
    "sport": """
        축구 = ^football; 하키 = ^hockey; 골프 = ^golf; 야구 = ^baseball; 농구 = ^basketball
        배구 = ^volleyball; 탁구 = ^table tennis; 테니스 = ^tennis; 배드민턴 = ^badminton

    """,
    "board": """
        바둑 = ^go; 장기 = ^Korean chess; 체스 = ^chess
    """,
    "subject": """
        수학 = ^mathematics; 역사 = ^history; 과학 = ^science; 영어 = ^English; 미술 = ^art
        지리 = ^geography; 국어 = ^Korean; 철학 = ^philosophy; 생물학 = ^biology
        화학 = ^chemistry; 음악 이론 = ^music theory; 사진 = ^photography
    """,
    "animal": """
        개 = dog; 고양이 = cat; 소 = cow; 말 = horse; 돼지 = pig; 닭 = hen; 양 = sheep
        토끼 = rabbit; 오리 = duck; 앵무새 = parrot; 거북이 = turtle; 염소 = goat; 다람쥐 = squirrel
        금붕어 = goldfish; 햄스터 = hamster; 까치 = magpie; 제비 = swallow; 여우 = fox
    """,
    "young": """
        강아지 = puppy; 새끼 고양이 = kitten; 송아지 = calf; 망아지 = foal; 병아리 = chick
    """,
    "plant": """
        장미 = rose; 튤립 = tulip; 해바라기 = sunflower; 국화 = chrysanthemum; 무궁화 = hibiscus
        소나무 = pine tree; 은행나무 = ginkgo tree; 벚나무 = cherry tree; 진달래 = azalea
        선인장 = cactus; 난초 = orchid; 나팔꽃 = morning glory
    """,
    "machine": """
        컴퓨터 = computer; 전화기 = telephone; 텔레비전 = television
        세탁기 = washing machine; 냉장고 = refrigerator; 카메라 = camera; 선풍기 = fan
        재봉틀 = sewing machine; 인쇄기 = printing press; 오븐 = oven; 라이터 = lighter
        계산기 = calculator
    """,
    "thing": """
        가방 = bag; 시계 = clock; 우산 = umbrella; 열쇠 = key; 연필 = pencil; 공책 = notebook
        지갑 = wallet; 공 = ball; 인형 = doll; 그림 = picture; 컵 = cup; 접시 = plate
        의자 = chair; 꽃병 = vase; 거울 = mirror; 상자 = box; 초 = candle; 지도 = map
        바구니 = basket; 빗 = comb; 망치 = hammer; 톱 = saw; 삽 = spade; 냄비 = pot
        숟가락 = spoon; 젓가락 = +chopsticks; 베개 = pillow; 이불 = blanket; 연 = kite
        부채 = hand fan; 등불 = lantern; 반지 = ring; 목걸이 = necklace; 선물 = present
        장난감 = toy; 비누 = ~soap; 수건 = towel; 풍선 = balloon; 사다리 = ladder
    """,
    "furniture": """
        책상 = desk; 탁자 = table; 침대 = bed; 책장 = bookcase; 서랍 = drawer; 옷장 = wardrobe
    """,
    "opening": """
        창문 = window; 문 = door; 대문 = gate; 상자 뚜껑 = lid of the box; 커튼 = curtain
    """,
    "place": """
        시장 = market; 도서관 = library; 학교 = ^school; 병원 = hospital; 식당 = restaurant
        공원 = @in park; 빵집 = bakery; 서점 = bookshop; 극장 = theatre; 역 = station
        우체국 = post office; 은행 = bank; 박물관 = museum; 동물원 = zoo; 카페 = café
        목욕탕 = bathhouse; 경찰서 = police station; 소방서 = fire station; 꽃집 = flower shop
        미용실 = hair salon; 체육관 = gym; 시청 = town hall; 방송국 = broadcasting station
        신문사 = newspaper office; 농장 = @on farm; 강가 = @by riverside; 언덕 = @on hill
        바닷가 = @on beach; 광장 = @in square; 놀이터 = playground; 수영장 = swimming pool
        유치원 = kindergarten; 약국 = pharmacy; 부엌 = @in kitchen; 거실 = @in living room
        마당 = @in yard; 정원 = @in garden; 도자기 공방 = pottery; 사진관 = photo studio
        문구점 = stationery shop
    """,
    "landmark": """
        한빛도서관 = Hanbit Library; 달맞이공원 = Dalmaji Park; 별빛극장 = Byeolbit Theatre
        새벽시장 = Saebyeok Market; 솔숲초등학교 = Solsup School; 햇살병원 = Haetsal Hospital
        두레역 = Dure Station; 물결박물관 = Mulgyeol Museum; 나루카페 = Naru Café
        들꽃농장 = Deulkkot Farm; 노을언덕 = Noeul Hill; 은하체육관 = Eunha Gym
    """,
    "newspaper": """
        두레신문 = Dure News; 한빛일보 = Hanbit Daily; 솔숲방송 = Solsup Radio
        나루통신 = Naru Press
    """,
    "event": """
        꽃 축제 = flower festival; 책 축제 = book fair; 음악회 = concert; 운동회 = sports day
        미술 전시회 = art exhibition; 바자회 = bazaar; 연날리기 대회 = kite contest
        졸업식 = graduation; 불꽃 축제 = firework festival; 김장 행사 = kimchi day
        달리기 대회 = running race; 토론회 = debate; 영화제 = film festival; 결혼식 = wedding
    """,
    "issue": """
        새 다리 = new bridge; 버스 요금 = bus fare; 쓰레기 문제 = waste problem
        도서관 공사 = library repairs; 강물 오염 = river pollution; 시장 화재 = market fire
        겨울 축제 = winter festival; 학교 급식 = school lunch; 주차 문제 = parking problem
        시청 예산 = town budget
    """,
    "job": """
        의사 = doctor; 간호사 = nurse; 선생님 = teacher; 요리사 = cook; 제빵사 = baker
        기자 = journalist; 경찰관 = police officer; 소방관 = firefighter; 사서 = librarian
        농부 = farmer; 화가 = painter; 가수 = singer; 배우 = actor; 작가 = writer
        운전사 = driver; 미용사 = hairdresser; 약사 = pharmacist; 은행원 = bank clerk
        우체부 = postman; 사진사 = photographer; 시장님 = mayor; 어부 = fisherman
        목수 = carpenter; 정원사 = gardener; 인형사 = puppeteer; 아나운서 = announcer
    """,
    "role_m": """
        왕 = king; 왕자 = prince; 남자 = man; 소년 = boy; 아버지 = father; 할아버지 = grandfather
        아들 = son; 남편 = husband; 삼촌 = uncle; 남동생 = younger brother; 신랑 = groom
        손자 = grandson
    """,
    "role_f": """
        왕비 = queen; 공주 = princess; 여자 = woman; 소녀 = girl; 어머니 = mother
        할머니 = grandmother; 딸 = daughter; 아내 = wife; 고모 = aunt; 여동생 = younger sister
        신부 = bride; 손녀 = granddaughter
    """,
    "voice_m": "베이스 = ^bass; 테너 = ^tenor",
    "voice_f": "소프라노 = ^soprano; 알토 = ^alto",
}
COUNTERS = {
    "reading": "권",
    "animal": "마리",
    "young": """
        마리
    """,
    "plant": "그루",
    "drink": "잔",
    "clothes": "벌",
    "footwear": "켤레",
    "machine": "대",
    "vehicle": "대",
}
PROPER = ("landmark", "newspaper")


def _read(kind: str, table: str) -> tuple[Noun, ...]:
    nouns = []
    for entry in table.replace("\n", ";").split(";"):
        if not entry.strip():
            continue
        ko, en = (part.strip() for part in entry.split("="))
        preposition = "at"
        if en.startswith("@"):
            preposition, en = en[1:].split(maxsplit=1)
        nouns.append(
            Noun(
                ko,
                en.lstrip("~+^"),
                kind,
                number={"~": "mass", "+": "plural", "^": "mass"}.get(en[0], "count"),
                article=en[0] != "^" and kind not in PROPER,
                preposition=preposition,
                counter=COUNTERS.get(kind, "개"),
                gender={"_m": "m", "_f": "f"}.get(kind[-2:], ""),
                proper=kind in PROPER,
            )
        )
    return tuple(nouns)


NOUNS = {kind: _read(kind, table) for kind, table in TABLES.items()}
