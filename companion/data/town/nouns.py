"""The nouns of the town, each in Korean and in English.

A line of a table is ``Korean = English``. A sign before the English tells what it is: ``~`` not
counted (water), ``+`` always plural (shoes), ``^`` without an article (school); ``%`` that it is a relative; ``@in`` that it is "in the park", not "at". Behind a slash stand letters for what it is fit for; below a line of two hyphens stands
what only the large vocabulary has. What this module leaves out: people, who are in
`companion.data.town.people`.

Used first in book/sequences/tokenization.ipynb.
"""

# ruff: noqa: E501 - Hangul counts double, and an entry of a table stays in its row

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)  # a word is itself: nothing is compared field by field
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
    tags : str, default ""
        What it is fit for, a letter each (see the table of letters below).
    mine : bool, default False
        Whether it is a relative, who needs somebody's: 우리 어머니, "my mother".
    core : bool, default True
        Whether it belongs to the small vocabulary.
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
    tags: str = ""
    mine: bool = False
    core: bool = True


# Letters after a slash. Food: s salty, h spicy, g greasy, w sweet, v sweet in jars, b bitter (drinks) or baked (snacks),
# e eaten as a vegetable, z without taste. To read or watch: f frightening, u of use. Clothes: the verb by which they are put on (입 쓰 끼 매 두), n washed, o coloured.
# Things: c clean or dirty, h heavy, k lent, l lost and found, m made by hand, w thrown away, p pretty, a shown in museums,
# g big or small, s in schools, o coloured. Places: i indoors, o outdoors, r in a house, b a building, v beautiful,
# s with a service, n a goal of a walk in town, x without a width. Animals: f on farms, h stroked and
# kept, p in parks, w on the water, z in zoos, q fast or slow, t fierce or tame. Vehicles: d roads, r
# rails, s under the ground, c driven, h ridden, w on the water, g by which one goes. Others: t on
# television or a tree, c on a stage, m a match or music, l a lecture, i indoors, o outdoors, j joined.
TABLES = {
    "fruit": """
        사과 = apple; 배 = pear; 포도 = +grapes; 수박 = watermelon; 딸기 = +strawberries
        복숭아 = peach; 감 = persimmon; 귤 = tangerine; 참외 = melon; 자두 = plum; 바나나 = banana
        레몬 = lemon; 체리 = +cherries; 살구 = apricot; 석류 = pomegranate
        --
        망고 = mango; 키위 = kiwi; 오렌지 = orange; 자몽 = grapefruit; 무화과 = fig
        파인애플 = pineapple; 블루베리 = +blueberries; 앵두 = +red cherries; 오디 = +mulberries
        매실 = green plum; 모과 = quince; 라임 = lime; 파파야 = papaya; 산딸기 = +raspberries
    """,
    "vegetable": """
        감자 = potato /e; 고구마 = sweet potato /e; 당근 = carrot /e; 양파 = onion
        오이 = cucumber /e; 호박 = pumpkin; 배추 = cabbage; 무 = radish; 토마토 = tomato /e
        시금치 = ~spinach; 버섯 = mushroom; 콩 = +beans; 옥수수 = ~corn /e; 상추 = ~lettuce
        가지 = aubergine
        --
        마늘 = ~garlic; 생강 = ~ginger; 고추 = chilli; 파프리카 = sweet pepper /e; 대파 = leek
        양배추 = white cabbage; 브로콜리 = ~broccoli; 셀러리 = ~celery; 연근 = lotus root
        우엉 = burdock root; 부추 = +chives; 미나리 = ~water parsley; 완두콩 = +peas; 비트 = beetroot
        애호박 = courgette; 콩나물 = +bean sprouts; 깻잎 = perilla leaf; 순무 = turnip
    """,
    "dish": """
        밥 = ~rice; 국수 = +noodles /s; 비빔밥 = ~bibimbap /sh; 불고기 = ~bulgogi /sg
        만두 = dumpling /s; 떡국 = ~rice cake soup /s; 냉면 = +cold noodles /sh
        갈비 = +grilled ribs /sg; 볶음밥 = ~fried rice /sg; 된장찌개 = ~soybean stew /sh
        삼계탕 = ~chicken soup /s; 파전 = green onion pancake /sg; 미역국 = ~seaweed soup /s
        피자 = pizza /sg; 카레 = ~curry /sh; 생선구이 = ~grilled fish /s
        --
        김치찌개 = ~kimchi stew /sh; 떡볶이 = +stir-fried rice cakes /sh; 잡채 = +glass noodles /sg
        칼국수 = +knife-cut noodles /s; 짬뽕 = ~seafood noodle soup /sh; 육개장 = ~shredded beef soup /sh
        콩국수 = +soy milk noodles /s; 갈비탕 = ~beef rib soup /s; 설렁탕 = ~ox bone soup /s
        순두부찌개 = ~soft tofu stew /sh; 닭갈비 = ~stir-fried chicken /sh; 오므라이스 = ~omelette rice /s
        스파게티 = ~spaghetti /sg; 스테이크 = steak /sg; 돈가스 = pork cutlet /sg; 죽 = ~porridge
        해물탕 = ~seafood stew /sh; 라면 = +instant noodles /sh; 햄버거 = hamburger /s
        김치전 = kimchi pancake /shg; 녹두전 = mung bean pancake /sg; 감자전 = potato pancake /sg
        유부초밥 = +tofu rice pockets /s; 콩나물국 = ~bean sprout soup /s; 소고기뭇국 = ~beef soup /s
    """,
    "snack": """
        빵 = ~bread /b; 떡 = rice cake; 과자 = biscuit /b; 케이크 = cake /b
        호떡 = sugar pancake; 붕어빵 = carp bun /b; 만쥬 = bean bun /b; 쿠키 = cookie /b
        --
        머핀 = muffin /b; 와플 = waffle /b; 파이 = pie /b; 타르트 = tart /b; 크루아상 = croissant /b
        단팥빵 = red bean bun /b; 찐빵 = steamed bun; 송편 = pine rice cake; 꽈배기 = twisted doughnut
        마카롱 = macaroon /b; 카스텔라 = sponge cake /b; 호두과자 = walnut cake /b; 인절미 = bean rice cake
    """,
    "treat": """
        사탕 = sweet /w; 초콜릿 = ~chocolate /w; 아이스크림 = ~ice cream /w; 약과 = honey cookie /w
        도넛 = doughnut /w; 샌드위치 = sandwich; 김치 = ~kimchi /sh; 두부 = ~tofu; 샐러드 = salad
        김밥 = seaweed roll /s
        --
        팝콘 = ~popcorn /s; 젤리 = ~jelly /w; 푸딩 = pudding /w; 빙수 = ~shaved ice /w
        군고구마 = roasted sweet potato /w; 핫도그 = hot dog /s; 치즈 = ~cheese /s; 요구르트 = ~yoghurt /w
        땅콩 = +peanuts /s; 호두 = +walnuts; 어묵 = fish cake /s; 주먹밥 = rice ball /s; 엿 = ~taffy /w
        강정 = puffed rice sweet /w; 달걀 = egg; 꿀 = ~honey /v; 잼 = ~jam /v
    """,
    "drink": """
        물 = ~water /z; 우유 = ~milk; 커피 = ~coffee /b; 녹차 = ~green tea /b; 홍차 = ~black tea /b
        주스 = ~juice /w; 식혜 = ~rice punch /w; 수정과 = ~cinnamon punch /w; 콜라 = ~cola /w
        유자차 = ~citron tea /w; 보리차 = ~barley tea; 코코아 = ~cocoa /w
        --
        레모네이드 = ~lemonade /w; 사이다 = ~fizzy lemonade /w; 생강차 = ~ginger tea /b
        인삼차 = ~ginseng tea /b; 대추차 = ~jujube tea /w; 매실차 = ~plum tea /w; 두유 = ~soy milk /w
        국화차 = ~chrysanthemum tea; 미숫가루 = ~grain shake /w; 옥수수차 = ~corn tea; 쌍화차 = ~herb tea /b
        탄산수 = ~sparkling water; 밀크셰이크 = ~milk shake /w; 허브차 = ~herbal tea
    """,
    "reading": """
        책 = book /ru; 신문 = newspaper; 잡지 = magazine /ru; 소설 = novel /rf; 시집 = poetry book /r
        만화책 = comic book /rf; 동화책 = storybook /r; 사전 = dictionary; 요리책 = cookbook
        역사책 = history book /ru; 일기 = diary /w; 대본 = script /w
        --
        그림책 = picture book /r; 교과서 = textbook; 위인전 = biography /ru; 수필집 = essay collection /r
        여행 안내서 = travel guide /ru; 문제집 = exercise book; 과학책 = science book /ru
        추리 소설 = detective novel /rf; 공상 과학 소설 = science fiction novel /rf; 악보 = music score
        백과사전 = encyclopedia; 전래 동화 = folk tale /rf; 소식지 = newsletter
    """,
    "text": """
        편지 = letter; 엽서 = postcard; 쪽지 = note; 기사 = article /a; 보고서 = report /a; 시 = poem /a
        --
        초대장 = invitation; 이메일 = email; 독후감 = book report /a; 논문 = research paper /a
        설명서 = manual /a; 일정표 = timetable; 안내문 = notice; 감상문 = review /a; 연하장 = New Year card
    """,
    "show": """
        영화 = film /ctf; 연극 = play /ca; 공연 = show /ca; 인형극 = puppet play /ca; 뉴스 = ~news /t
        드라마 = drama /tf; 만화 영화 = cartoon /ct; 경기 = match /tm; 다큐멘터리 = documentary /ct
        --
        뮤지컬 = musical /ca; 오페라 = opera /c; 발레 = ballet /c; 판소리 공연 = pansori show /c
        마술 쇼 = magic show /cat; 퀴즈 프로그램 = quiz programme /t; 요리 프로그램 = cooking programme /t
        서커스 = circus show /c; 탈춤 = mask dance /ca; 춤 공연 = dance show /c; 코미디 = comedy /ct
        공포 영화 = horror film /ctf; 야구 경기 = baseball match /tm; 농구 경기 = basketball match /tm
        축구 경기 = football match /tm; 여행 프로그램 = travel programme /t
    """,
    "sound": """
        음악 = ~music /m; 노래 = song /m; 이야기 = story; 강의 = lecture /l; 연설 = speech /l
        --
        라디오 = ^the radio; 동요 = nursery rhyme /m; 민요 = folk song /m; 재즈 = ~jazz /m
        교향곡 = symphony /m; 자장가 = lullaby /m; 강연 = talk /l; 옛날이야기 = old tale
        클래식 음악 = ~classical music /m; 피아노곡 = piano piece /m
    """,
    "clothes": """
        모자 = hat /쓰nlop; 외투 = coat /입ngop; 치마 = skirt /입nop; 바지 = +trousers /입nop
        장갑 = +gloves /끼nlop; 목도리 = scarf /두nlop; 셔츠 = shirt /입nop; 한복 = hanbok /입np
        안경 = +glasses /쓰l; 스웨터 = sweater /입nop; 조끼 = waistcoat /입nop; 앞치마 = apron /입no
        넥타이 = tie /매lop; 원피스 = dress /입nop
        --
        반바지 = +shorts /입no; 청바지 = +jeans /입np; 잠옷 = +pyjamas /입no; 비옷 = raincoat /입o
        재킷 = jacket /입ngop; 코트 = overcoat /입ngop; 블라우스 = blouse /입nop; 수영복 = swimsuit /입op
        교복 = school uniform /입n; 티셔츠 = T-shirt /입nop; 허리띠 = belt /매lo; 숄 = shawl /두nop
        선글라스 = +sunglasses /쓰lp; 털모자 = woolly hat /쓰nlop; 밀짚모자 = straw hat /쓰lp
        벙어리장갑 = +mittens /끼nlop; 고무장갑 = +rubber gloves /끼lo; 스카프 = silk scarf /두nlop
        나비넥타이 = bow tie /매lop; 작업복 = +overalls /입no; 정장 = suit /입np; 운동복 = tracksuit /입no
        카디건 = cardigan /입nop; 머리띠 = hairband /쓰x; 가죽 재킷 = leather jacket /입gp
    """,
    "footwear": """
        양말 = +socks; 신발 = +shoes; 장화 = +boots; 슬리퍼 = +slippers; 운동화 = +trainers
        --
        구두 = +dress shoes; 샌들 = +sandals; 부츠 = +leather boots; 고무신 = +rubber shoes
        털신 = +fur shoes; 스타킹 = +stockings; 등산화 = +hiking boots; 축구화 = +football boots
        덧신 = +overshoes; 나막신 = +clogs
    """,
    "vehicle": """
        버스 = bus /dg; 기차 = train /rg; 택시 = taxi /dg; 자동차 = car /cg; 자전거 = bicycle /hg
        지하철 = ^subway /sg; 배 = boat /w; 오토바이 = motorcycle /hg; 비행기 = plane
        전차 = tram /dg; 트럭 = truck /cg
        --
        요트 = yacht /w; 유람선 = cruise boat /w; 트랙터 = tractor /c; 헬리콥터 = helicopter
        승합차 = van /cg; 마차 = carriage; 스쿠터 = scooter /hg; 카누 = canoe /w; 고속버스 = express bus /dgx
        돛단배 = sailing boat /w; 구급차 = ambulance; 소방차 = fire engine; 급행열차 = express train /rg
    """,
    "instrument": """
        피아노 = piano /치; 기타 = guitar /치; 바이올린 = violin /켜; 북 = drum /치; 가야금 = gayageum /타
        피리 = pipe /불; 첼로 = cello /켜; 하모니카 = harmonica /불; 장구 = janggu /치; 해금 = haegeum /켜
        --
        플루트 = flute /불; 트럼펫 = trumpet /불; 오르간 = organ /치; 실로폰 = xylophone /치
        클라리넷 = clarinet /불; 색소폰 = saxophone /불; 비올라 = viola /켜; 거문고 = geomungo /타
        단소 = danso /불; 대금 = daegeum /불; 꽹과리 = small gong /치; 징 = large gong /치
        우쿨렐레 = ukulele /치; 오보에 = oboe /불; 호른 = horn /불; 탬버린 = tambourine /치
        리코더 = recorder /불; 아쟁 = ajaeng /켜; 나팔 = bugle /불
    """,
    "sport": """
        축구 = ^football /o; 하키 = ^hockey /o; 골프 = ^golf; 야구 = ^baseball /o
        농구 = ^basketball /i; 배구 = ^volleyball /i; 탁구 = ^table tennis /i; 테니스 = ^tennis /o
        배드민턴 = ^badminton /i
        --
        핸드볼 = ^handball /i; 피구 = ^dodgeball /o; 태권도 = ^taekwondo /d; 유도 = ^judo /d; 요가 = ^yoga /d
        체조 = ^gymnastics /d; 펜싱 = ^fencing /d; 족구 = ^foot volleyball /o; 럭비 = ^rugby /o
        줄다리기 = ^tug of war /o; 씨름 = ^Korean wrestling /d; 검도 = ^kendo /d; 볼링 = ^bowling
    """,
    "board": """
        바둑 = ^go; 장기 = ^Korean chess; 체스 = ^chess
        --
        오목 = ^five in a row
    """,
    "subject": """
        수학 = ^mathematics; 역사 = ^history; 과학 = ^science; 영어 = ^English; 미술 = ^art
        지리 = ^geography; 국어 = ^Korean; 철학 = ^philosophy; 생물학 = ^biology
        화학 = ^chemistry; 음악 이론 = ^music theory; 사진 = ^photography
        --
        물리학 = ^physics; 경제학 = ^economics; 심리학 = ^psychology; 프랑스어 = ^French; 독일어 = ^German
        중국어 = ^Chinese; 일본어 = ^Japanese; 스페인어 = ^Spanish; 한자 = ^Chinese characters
        천문학 = ^astronomy; 건축 = ^architecture; 의학 = ^medicine; 법학 = ^law; 통계학 = ^statistics
        문학 = ^literature; 서예 = ^calligraphy; 도예 = ^ceramics; 러시아어 = ^Russian; 컴퓨터 과학 = ^computer science
    """,
    "animal": """
        개 = dog /hfqt; 고양이 = cat /hqt; 소 = cow /fq; 말 = horse /fhqt; 돼지 = pig /f; 닭 = hen /fq
        양 = sheep /fhqt; 토끼 = rabbit /fhpqt; 오리 = duck /fwq; 앵무새 = parrot /zhq; 거북이 = turtle /zw
        염소 = goat /fhqt; 다람쥐 = squirrel /pq; 금붕어 = goldfish /a; 햄스터 = hamster /h; 까치 = magpie /pq
        제비 = swallow /pq; 여우 = fox /zqt
        --
        사자 = lion /zqt; 호랑이 = tiger /zqt; 코끼리 = elephant /zt; 기린 = giraffe /zt; 원숭이 = monkey /zqt
        곰 = bear /zt; 늑대 = wolf /zqt; 사슴 = deer /zqt; 펭귄 = penguin /z; 얼룩말 = zebra /zq
        하마 = hippo /z; 악어 = crocodile /zq; 낙타 = camel /zt; 캥거루 = kangaroo /zq; 표범 = leopard /zqt
        비둘기 = pigeon /pq; 참새 = sparrow /pq; 까마귀 = crow /pq; 부엉이 = owl /zp; 독수리 = eagle /zq
        백조 = swan /w; 거위 = goose /fwq; 당나귀 = donkey /fht; 칠면조 = turkey /f; 고슴도치 = hedgehog /p
        두루미 = crane /w; 개구리 = frog /w; 나비 = butterfly /p; 잠자리 = dragonfly /p; 수달 = otter /wz
        너구리 = raccoon dog /zp; 공작 = peacock /z; 타조 = ostrich /zq; 코뿔소 = rhino /zqt; 치타 = cheetah /zqt
    """,
    "young": """
        강아지 = puppy; 새끼 고양이 = kitten; 송아지 = calf; 망아지 = foal; 병아리 = chick
        --
        새끼 양 = lamb; 새끼 돼지 = piglet; 새끼 오리 = duckling; 새끼 염소 = kid goat
    """,
    "plant": """
        장미 = rose /s; 튤립 = tulip /s; 해바라기 = sunflower /s; 국화 = chrysanthemum /s
        무궁화 = hibiscus /s; 소나무 = pine tree /t; 은행나무 = ginkgo tree /t; 벚나무 = cherry tree /t
        진달래 = azalea /s; 선인장 = cactus /s; 난초 = orchid /s; 나팔꽃 = morning glory /s
        --
        백합 = lily /s; 수선화 = daffodil /s; 민들레 = dandelion /s; 코스모스 = cosmos flower /s
        카네이션 = carnation /s; 동백꽃 = camellia /s; 연꽃 = lotus flower /s; 제비꽃 = violet /s
        수국 = hydrangea /s; 개나리 = forsythia /s; 매화나무 = plum tree /t; 단풍나무 = maple tree /t
        감나무 = persimmon tree /t; 사과나무 = apple tree /t; 대추나무 = jujube tree /t; 버드나무 = willow /t
        참나무 = oak tree /t; 모란 = peony /s; 라벤더 = ~lavender /s; 목련 = magnolia /s; 밤나무 = chestnut tree /t
    """,
    "machine": """
        컴퓨터 = computer /or; 전화기 = telephone; 텔레비전 = television /r
        세탁기 = washing machine /r; 냉장고 = refrigerator; 카메라 = camera; 선풍기 = fan /or
        재봉틀 = sewing machine; 인쇄기 = printing press /p; 오븐 = oven /k; 라이터 = lighter
        계산기 = calculator /o
        --
        청소기 = vacuum cleaner /r; 전자레인지 = microwave /k; 에어컨 = air conditioner /or
        난로 = heater /or; 가습기 = humidifier /r; 믹서 = blender /k; 밥솥 = rice cooker /k; 토스터 = toaster /k
        노트북 = laptop /or; 프린터 = printer /o; 복사기 = copier /o; 녹음기 = recorder machine /r
        전등 = electric lamp /ox; 식기세척기 = dishwasher /k; 다리미 = iron; 스피커 = loudspeaker /or
        태블릿 = tablet computer /o; 영사기 = film projector /o; 커피머신 = coffee machine /k
    """,
    "thing": """
        가방 = bag /chkolpg; 시계 = clock /kp; 우산 = umbrella /klohg; 열쇠 = key /l; 연필 = pencil /klo
        공책 = notebook /klo; 지갑 = wallet /lop; 공 = ball /klom; 인형 = doll /klmpa; 그림 = picture /pa
        컵 = cup /copw; 접시 = plate /cop; 의자 = chair /chogmw; 꽃병 = vase /copg; 거울 = mirror /cp
        상자 = box /hogmw; 초 = candle /om; 지도 = map /kl; 바구니 = basket /ogm; 빗 = comb /kl
        망치 = hammer /khg; 톱 = saw /kg; 삽 = spade /khg; 냄비 = pot /chkg; 숟가락 = spoon /c
        젓가락 = +chopsticks /c; 베개 = pillow /cow; 이불 = blanket /chogp; 연 = kite /mlo
        부채 = hand fan /klmpa; 등불 = lantern /mpa; 반지 = ring /lp; 목걸이 = necklace /lpma
        선물 = present /l; 장난감 = toy /klgmw; 비누 = ~soap /m; 수건 = towel /cow; 풍선 = balloon /o
        사다리 = ladder /hkg
        --
        배낭 = backpack /chkolg; 여행 가방 = suitcase /chkolg; 손수건 = handkerchief /colp; 카펫 = carpet /chop
        방석 = cushion /com; 주전자 = kettle /chg; 찻잔 = teacup /cop; 쟁반 = tray /cop; 도마 = chopping board /cm
        국자 = ladle /c; 포크 = fork /c; 프라이팬 = frying pan /chg; 도시락 = lunch box /col; 물병 = water bottle /col
        지우개 = eraser /klo; 자 = ruler /kl; 볼펜 = pen /klo; 필통 = pencil case /klo; 붓 = brush /kl; 물감 = ~paint
        가위 = +scissors /k; 풀 = ~glue; 달력 = calendar /p; 엽서첩 = postcard album /kp; 사진첩 = photo album /klp
        손전등 = torch /klg; 나침반 = compass /kl; 망원경 = telescope /khg; 돋보기 = magnifying glass /kl
        줄넘기 = skipping rope /kl; 자물쇠 = padlock /l; 못 = nail; 나사 = screw /x; 밧줄 = rope /kh; 양동이 = bucket /cohg
        빗자루 = broom /khm; 물뿌리개 = watering can /khg; 호미 = hoe /kh; 화분 = flowerpot /chog; 새장 = birdcage /hm
        팔찌 = bracelet /lpm; 귀걸이 = +earrings /lp; 머리핀 = hairpin /lpo; 브로치 = brooch /lp; 리본 = ribbon /op
        액자 = picture frame /pm; 조각상 = statue /hpa; 도자기 = porcelain bowl /cpa; 탈 = mask /kpma; 로봇 = toy robot /klm
        퍼즐 = puzzle /kl; 팽이 = spinning top /klm; 썰매 = sledge /khm; 저금통 = money box /po; 우표 = stamp /lz
        동전 = coin /lz; 단추 = button /lo; 실 = ~thread /o; 털실 = ~wool /ox; 칫솔 = toothbrush /o; 치약 = ~toothpaste
        샴푸 = ~shampoo; 텐트 = tent /khog; 돗자리 = picnic mat /kco; 낚싯대 = fishing rod /kl; 촛대 = candlestick /hp
    """,
    "furniture": """
        책상 = desk /thws; 탁자 = table /thws; 침대 = bed /th; 책장 = bookcase /thws; 서랍 = drawer; 옷장 = wardrobe /th
        --
        소파 = sofa /th; 식탁 = dining table /thw; 찬장 = cupboard /th; 신발장 = shoe cabinet /th
        화장대 = dressing table /th; 벤치 = bench /th; 장롱 = linen chest /th; 안락의자 = armchair /th
    """,
    "opening": """
        창문 = window /aw; 문 = door /aw; 대문 = gate; 커튼 = curtain /ar
        --
        유리문 = glass door /aw; 블라인드 = blind /ar; 뒷문 = back door /aw
    """,
    "place": """
        시장 = market /nd; 도서관 = library /ibsn; 학교 = ^school /ibn; 병원 = hospital /ibsn
        식당 = restaurant /ibsn; 공원 = @in park /ovn; 빵집 = bakery /ibsn; 서점 = bookshop /ibsn
        극장 = theatre /ibsn; 역 = station /bn; 우체국 = post office /ibsn; 은행 = bank /ibsn
        박물관 = museum /ibsn; 동물원 = zoo /on; 카페 = café /ibsn; 목욕탕 = bathhouse /ibn
        경찰서 = police station /ibn; 소방서 = fire station /ibn; 꽃집 = flower shop /ibsn
        미용실 = hair salon /ibsn; 체육관 = gym /ibsn; 시청 = town hall /ibsn
        방송국 = broadcasting station /ibn; 신문사 = newspaper office /ibn; 농장 = @on farm /on
        강가 = @by riverside /ovx; 언덕 = @on hill /ovn; 바닷가 = beach /ovx; 광장 = @in square /on
        놀이터 = playground /on; 수영장 = swimming pool /sn; 유치원 = kindergarten /ibn
        약국 = pharmacy /ibsn; 부엌 = @in kitchen /ir; 거실 = @in living room /ir; 마당 = @in yard /r
        정원 = @in garden /rv; 도자기 공방 = pottery /ibn; 사진관 = photo studio /ibsn
        문구점 = stationery shop /ibsn
        --
        공항 = airport /ibsn; 백화점 = department store /ibsn; 슈퍼마켓 = supermarket /ibsn; 호텔 = hotel /ibsn
        치과 = dental clinic /ibsn; 동물 병원 = animal clinic /ibsn; 세탁소 = laundry shop /ibsn; 정류장 = bus stop /n
        대학교 = university /ibn; 교실 = @in classroom /ir; 사무실 = office /ibn; 공장 = factory /ibn
        미술관 = art gallery /ibsn; 식물원 = botanical garden /ovn; 과수원 = @in orchard /on; 숲 = @in forest /ovx
        호숫가 = @by lakeside /ovx; 항구 = harbour /ovn; 다락방 = @in attic /ir; 침실 = @in bedroom /ir
        발코니 = @on balcony /r; 지하실 = @in basement /ir; 찻집 = tea house /ibsn; 분식집 = snack bar /ibsn
        신발 가게 = shoe shop /ibsn; 옷 가게 = clothes shop /ibsn; 장난감 가게 = toy shop /ibsn; 악기점 = music shop /ibsn
        가구점 = furniture shop /ibsn; 자전거 가게 = bicycle shop /ibsn; 온실 = greenhouse /iv; 야구장 = baseball ground /on
        축구장 = football ground /on; 스케이트장 = ice rink /sn; 천문대 = observatory /ibn; 수족관 = aquarium /ibsn
        음악실 = @in music room /ir; 미술실 = @in art room /ir; 과학실 = @in science room /ir; 강당 = @in assembly hall /ir
        복지관 = community centre /ibn; 기숙사 = dormitory /ibn; 캠핑장 = campsite /on; 온천 = hot spring /sn
    """,
    "landmark": """
        한빛도서관 = Hanbit Library /i; 달맞이공원 = Dalmaji Park /o; 별빛극장 = Byeolbit Theatre /i
        새벽시장 = Saebyeok Market; 솔숲초등학교 = Solsup School /io; 햇살병원 = Haetsal Hospital
        두레역 = Dure Station; 물결박물관 = Mulgyeol Museum /i; 나루카페 = Naru Café
        들꽃농장 = Deulkkot Farm /o; 노을언덕 = Noeul Hill /o; 은하체육관 = Eunha Gym /i
        --
        무지개다리 = Mujigae Bridge; 은빛호수 = Eunbit Lake; 한울광장 = Hanul Square /o
        바람미술관 = Baram Gallery /i; 샘터중학교 = Saemteo School /io; 누리호텔 = Nuri Hotel /i
        해돋이공원 = Haedoji Park /o; 가람극장 = Garam Theatre /i; 단비식물원 = Danbi Garden /o
        아라항구 = Ara Harbour; 미리내천문대 = Mirinae Observatory; 온누리회관 = Onnuri Hall /i
    """,
    "newspaper": """
        두레신문 = Dure News; 한빛일보 = Hanbit Daily; 솔숲방송 = Solsup Radio
        나루통신 = Naru Press
    """,
    "event": """
        꽃 축제 = flower festival /o; 책 축제 = book fair /i; 음악회 = concert /i; 운동회 = sports day /oj
        미술 전시회 = art exhibition /i; 바자회 = bazaar /oj; 연날리기 대회 = kite contest /oj
        졸업식 = graduation /i; 불꽃 축제 = firework festival /o; 김치 축제 = kimchi festival /oj
        달리기 대회 = running race /oj; 토론회 = debate /ij; 영화제 = film festival /i; 결혼식 = wedding /i
        --
        요리 대회 = cooking contest /ij; 글짓기 대회 = writing contest /ij; 노래자랑 = singing contest /ij
        벼룩시장 = flea market /oj; 체험 학습 = field trip /xj; 과학 축제 = science fair /ij; 연주회 = recital /i
        수영 대회 = swimming race /xj; 마라톤 = marathon /oj; 낭독회 = poetry reading /ij; 강연회 = public lecture /i
        사진 전시회 = photo exhibition /i; 입학식 = school opening /i; 줄다리기 대회 = tug-of-war contest /oj
        바둑 대회 = go contest /ij; 딸기 축제 = strawberry festival /oj; 나무 심기 행사 = tree planting day /oj
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
        집배원 = postal worker; 사진사 = photographer; 변호사 = lawyer; 어부 = fisher
        목수 = carpenter; 정원사 = gardener; 인형사 = puppeteer; 아나운서 = announcer
        --
        건축가 = architect; 수의사 = vet; 치과 의사 = dentist; 기술자 = engineer; 과학자 = scientist
        재단사 = tailor; 조종사 = pilot; 번역가 = translator; 지휘자 = conductor; 피아니스트 = pianist
    """,
    "role_m": """
        왕 = king; 왕자 = prince; 남자 = man; 소년 = boy; 아버지 = %father; 할아버지 = %grandfather
        아들 = %son; 남편 = %husband; 삼촌 = %uncle; 남동생 = %younger brother; 신랑 = groom
        손자 = %grandson
    """,
    "role_f": """
        왕비 = queen; 공주 = princess; 여자 = woman; 소녀 = girl; 어머니 = %mother
        할머니 = %grandmother; 딸 = %daughter; 아내 = %wife; 고모 = %aunt; 여동생 = %younger sister
        신부 = bride; 손녀 = %granddaughter
    """,
    "voice_m": "베이스 = ^bass; 테너 = ^tenor",
    "voice_f": "소프라노 = ^soprano; 알토 = ^alto",
}
COUNTERS = {
    "reading": "권",
    "animal": "마리",
    "young": "마리",
    "plant": "그루",
    "drink": "잔",
    "clothes": "벌",
    "footwear": "켤레",
    "machine": "대",
    "vehicle": "대",
}
OWN_COUNTERS = {
    "배추": "포기",
    "양배추": "통",
    "수박": "통",
    "대파": "대",
    "우엉": "대",
    "깻잎": "장",
}
PROPER = ("landmark", "newspaper")


def _read(kind: str, table: str) -> tuple[Noun, ...]:
    nouns = []
    core, _, more = table.partition("--")
    for part in (core, more):
        for entry in part.replace("\n", ";").split(";"):
            if not entry.strip():
                continue
            ko, en = (part.strip() for part in entry.split("="))
            en, _, tags = en.partition(" /")
            preposition = "at"
            if en.startswith("@"):
                preposition, en = en[1:].split(maxsplit=1)
            nouns.append(
                Noun(
                    ko,
                    en.lstrip("~+^%"),
                    kind,
                    number={"~": "mass", "+": "plural", "^": "mass"}.get(en[0], "count"),
                    article=en[0] != "^" and kind not in PROPER,
                    preposition=preposition,
                    counter=OWN_COUNTERS.get(ko, COUNTERS.get(kind, "개")),
                    gender={"_m": "m", "_f": "f"}.get(kind[-2:], ""),
                    proper=kind in PROPER,
                    tags=tags,
                    mine=en[0] == "%",
                    core=part is core,
                )
            )
    return tuple(nouns)


NOUNS = {kind: _read(kind, table) for kind, table in TABLES.items()}
