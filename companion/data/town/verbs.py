"""The verbs, adjectives and adverbs of the town, each in Korean and in English.

A line of a table is ``Korean stem (irregular) = English``, then what belongs to the word: kinds of
objects with the places where that is done, or whom an adjective can describe. Below a line of two
hyphens stands what only the large vocabulary has. What this module leaves out: forms of these words, which
`companion.data.town.korean` and `companion.data.town.english` make by rule.

Used first in book/sequences/tokenization.ipynb.
"""

# ruff: noqa: E501 - Hangul counts double, and an entry of a table stays in its row

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from companion.data.town.korean import Predicate


@dataclass(frozen=True, eq=False)  # a word is itself: nothing is compared field by field
class Verb:
    """A verb in both languages.

    Parameters
    ----------
    ko : Predicate
        The Korean verb.
    en : str
        The English base form; a phrase such as "look for" changes in its first word.
    objects : tuple of str
        Kinds of nouns that it takes as its object; empty for a verb without one.
    places : tuple of str
        Korean names of the places where that is done.
    lasting : str
        The English verb for what lasts, if it is another one: 입다 is "put on" when it has happened,
        and "wear" otherwise.
    uses : tuple of (tuple of str, tuple of str)
        Which objects go with which places; an object is a kind of noun, perhaps with a letter
        ("clothes.끼": those that take 끼다).
    flags : str
        What one can say of it, a letter each (see the comment above the table).
    core : bool
        Whether it belongs to the small vocabulary.
    """

    ko: Predicate
    en: str
    objects: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    lasting: str = ""
    uses: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    flags: str = ""
    core: bool = True


@dataclass(frozen=True, eq=False)  # a word is itself: nothing is compared field by field
class Adjective:
    """An adjective in both languages.

    Parameters
    ----------
    ko : Predicate
        The Korean adjective.
    en : str
        The English adjective.
    of : tuple of str
        Groups that it can describe: "taste", "thing", "place", "person", ...
    opinion : int
        1 if it praises, -1 if it blames, 0 if it does neither.
    opposite : str
        The English adjective that means the contrary; empty if the town knows none.
    comparative : str
        "taller", "more beautiful".
    about : str
        The respect in which it describes: nothing is praised twice in the same respect.
    sign : str
        "!" if it bears no degree but "really", "+" if not "a little".
    core : bool
        Whether it belongs to the small vocabulary.
    """

    ko: Predicate
    en: str
    of: tuple[str, ...]
    opinion: int
    opposite: str
    comparative: str
    about: str = ""
    sign: str = ""
    core: bool = True


# Flags: b one washes one's hands before; t with somebody; p one goes somewhere to do it; f for
# somebody; l it can be told of last year; m many at a time; s put on and worn; v by vehicle; ! it happens to one;
# a alone; u nobody plans it; r done when it rains; o done once, not as a habit; d lasts for months. Towards people: e done somewhere; v done at a time; s a state, without place and time.
ACTIONS = """
먹 = eat : fruit dish snack treat @ 식당 공원 카페 마당 거실; vegetable.e @ 부엌 마당 거실 : bptlr
마시 = drink : drink @ 식당 카페 부엌 공원 거실 역 정원 : bptr
사 = buy : fruit vegetable @ 시장; snack @ 빵집 시장; reading @ 서점; clothes thing @ 시장; plant.s @ 꽃집 : fptl
팔 = sell : fruit vegetable snack treat @ 시장 광장; plant.s @ 꽃집 시장; thing.m @ 시장 광장 : mtl
읽 = read : reading text @ 도서관 학교 공원 카페 거실 정원 역 : ptlr
쓰 = write : text reading.w @ 학교 카페 도서관 거실 정원; text.a @ 신문사 : bptlr
보 = watch : show.c @ 극장 광장; show.t @ 거실; show.m @ 체육관 : ptlr
듣 (ㄷ) = listen to : sound @ 학교 공원 카페 거실 광장; sound.m @ 정원 극장 : ptlr
신 = put on/wear : footwear @ 체육관 학교 극장 : s
입 = put on/wear : clothes.입 @ 거실 체육관 학교 : s
쓰 = put on/wear : clothes.쓰 @ 거실 공원 바닷가 마당 : s
끼 = put on/wear : clothes.끼 @ 마당 정원 공원 : s
매 = put on/wear : clothes.매 @ 거실 학교 극장 : s
두르 (르) = put on/wear : clothes.두 @ 거실 마당 역 : s
타 = take : vehicle.r @ 역; vehicle.d @ 역 시장 광장; vehicle.w @ 강가 바닷가 : ptlv
타 = ride : vehicle.h @ 공원 강가 바닷가 광장 : ptlv
운전하 = drive : vehicle.c @ 강가 농장 언덕 : tlv
치 = play : instrument.치 @ 학교 공원 극장 거실 방송국 : bptfl
켜 = play : instrument.켜 @ 학교 공원 극장 거실 방송국 : bptfl
불 = play : instrument.불 @ 학교 공원 극장 거실 방송국 : bptfl
두 = play : board @ 공원 거실 카페 광장 : ptlr
하 = play : sport.o @ 학교 공원 놀이터 광장 바닷가; sport.i @ 체육관 학교 : ptl
배우 = learn : subject @ 학교 도서관; instrument @ 학교 극장; sport @ 체육관 학교 : ptlo
공부하 = study : subject @ 학교 도서관 카페 거실 : ptlr
가르치 = teach : subject @ 학교 도서관; sport @ 체육관 학교 : pl
키우 = raise : animal.f @ 농장; young @ 농장 마당 : mld
쓰다듬 = stroke : animal.h young @ 농장 마당 : tp
돌보 = look after : animal.f @ 농장; young @ 농장 마당; plant.s @ 정원 마당 : ftl
심 = plant : plant @ 정원 농장 마당 언덕; vegetable @ 농장 마당 : mftl
그리 = draw : animal.p @ 공원 정원 언덕; animal.f @ 농장; plant @ 공원 정원; vehicle @ 학교; thing.p @ 학교 거실 : ftl
찍 = photograph : animal.p @ 공원 정원 언덕; animal.f @ 농장; plant @ 공원 정원 : ptl
고치 = repair : machine.r @ 거실; machine.o @ 학교 신문사; furniture @ 거실; furniture.s @ 학교 도서관; vehicle.c vehicle.h @ 마당 농장 : ftlo
닦 = wipe : opening.w @ 학교 거실 카페 식당; furniture.s @ 학교 거실 도서관; furniture.w @ 거실 : ftp
씻 = wash : fruit vegetable @ 부엌 식당 농장 마당 : bftp
빨 = wash : clothes.n footwear @ 강가 마당 : ftp
요리하 = cook : dish.s @ 부엌 식당 학교 : bfptlr
굽 (ㅂ) = bake : snack.b @ 부엌 빵집 : bfptlr
만들 = make : dish.s snack @ 부엌 학교; thing.m @ 학교 거실 마당 : bfptlr
빌리 = borrow : reading @ 도서관 학교; thing.k @ 학교; instrument @ 학교 : pfl
찾 = look for : thing.l clothes.l @ 학교 역 공원 시장 거실; text @ 거실 학교 도서관 : pfto
잃어버리 = lose : thing.l clothes.l @ 역 시장 공원 광장 바닷가 극장 : !l
발견하 = discover : thing.l @ 공원 강가 언덕 농장 바닷가; young @ 공원 농장 언덕 : !l
숨기 = hide : thing.l text snack @ 거실 정원 학교 마당 : tpo
버리 = throw away : text thing.w @ 학교 거실 마당 : tlo
고르 (르) = choose : fruit vegetable clothes @ 시장; reading @ 서점 도서관; plant.s @ 꽃집; snack @ 빵집 : ftpo
포장하 = wrap : thing.p @ 시장 문구점 거실; snack @ 빵집 : bftpo
열 = open : opening.a @ 학교 도서관 거실 부엌 카페; opening.-r @ 마당 : f
닫 = close : opening.a @ 학교 도서관 거실 부엌 카페; opening.-r @ 마당 : f
켜 = turn on : machine.o @ 학교 신문사; machine.r @ 거실; machine.k @ 부엌 : fo
끄 = turn off : machine.o @ 학교 신문사; machine.r @ 거실; machine.k @ 부엌 : fo
나르 (르) = carry : thing.h @ 시장 농장 학교 역; furniture.s @ 시장 학교; vegetable @ 농장 시장 : ftmo
모으 = collect : text @ 학교 거실 박물관; reading.r @ 거실 도서관 : mtld
준비하 = prepare : dish snack @ 부엌 학교; show.a @ 극장 학교 : bfptl
--
하 = do : sport.d @ 체육관 학교 : ptl
타 = play : instrument.타 @ 학교 극장 거실 방송국 : bptfl
벗 = take off : clothes.입 clothes.쓰 clothes.끼 footwear @ 거실 체육관 학교 목욕탕 :
따 = pick : fruit @ 농장 과수원 : bmftpl
썰 = slice : vegetable @ 부엌 식당 : bftp
데우 = heat up : dish @ 부엌 : bftp
튀기 = fry : vegetable.e @ 부엌 식당 분식집 : bftp
맛보 = taste : dish @ 식당 부엌; treat snack @ 시장 카페 : btpl
주문하 = order : dish @ 식당 호텔 분식집; drink @ 카페 찻집 : ft
끓이 = brew : drink.b @ 부엌 카페 : bft
번역하 = translate : text reading.r @ 도서관 사무실 거실 대학교 : ftl
인쇄하 = print : text.a @ 사무실 신문사 도서관 : fl
복사하 = copy : text @ 사무실 도서관 학교 : f
개 = fold : clothes.입n @ 거실 침실 : bft
다리 = iron : clothes.입n @ 거실 침실 : bf
꿰매 = sew : clothes.입n @ 거실 침실 : bfl
칠하 = paint : furniture.w @ 마당 공장 : ftl
옮기 = move : furniture.t @ 거실 침실; furniture.s @ 교실 사무실 : fto
가꾸 = tend : plant @ 정원 식물원 마당 : tfl
구경하 = look at : animal.z @ 동물원; plant @ 식물원 : tpl
관찰하 = observe : animal.p @ 숲 공원 언덕; plant @ 식물원 정원; animal.w @ 강가 호숫가 : tpl
연구하 = research : subject @ 대학교 도서관 : tl
복습하 = review : subject @ 교실 거실 도서관 : t
예습하 = read up on : subject @ 교실 거실 도서관 : t
찢 = tear up : text @ 거실 사무실 교실 : lo
떨어뜨리 = drop : thing.l @ 강가 역 시장 정류장 : !
던지 = throw : thing.l @ 강가 마당 : !
묶 = tie up : reading @ 거실 서점 도서관 : bftpo
정리하 = tidy up : text reading @ 거실 사무실 도서관 교실 : btpf
전시하 = exhibit : thing.a plant.s @ 미술관 학교 박물관 : tml
녹음하 = record : sound.m @ 방송국 음악실 학교 : ftl
감상하 = enjoy : show.c @ 극장 강당; sound.m @ 음악실 카페 : tpl
촬영하 = film : show.c @ 극장 방송국 강당 : ptl
손질하 = trim : plant.t @ 정원 과수원 : tfl
조립하 = assemble : furniture.t @ 거실 침실 공장 : ftlo
점검하 = inspect : vehicle.c vehicle.d @ 공장 정류장 : tl
말리 = dry : clothes.n footwear @ 마당 발코니 : ft
""".strip().splitlines()

ACTIVITIES = """
자 = sleep : 거실 정원 침실 기숙사 호텔 캠핑장 : p
걷 (ㄷ) = walk : 공원 강가 바닷가 언덕 광장 : ta
뛰 = run : 공원 체육관 놀이터 강가 바닷가 : ta
수영하 = swim : 수영장 바닷가 : tap
춤추 = dance : 극장 광장 학교 거실 체육관 : tap
쉬 = rest : 거실 공원 카페 정원 강가 바닷가 : tap
일하 = work : 병원 시장 식당 은행 신문사 시청 농장 박물관 : tal
웃 = laugh : 극장 학교 카페 거실 놀이터 : tu
울 = cry : 병원 학교 역 극장 놀이터 : au
운동하 = exercise : 체육관 공원 학교 강가 : tap
이야기하 = chat : 카페 미용실 공원 시장 목욕탕 식당 : t
산책하 = take a walk : 공원 강가 바닷가 언덕 정원 : tap
청소하 = clean up : 학교 거실 부엌 공원 마당 광장 : ta
낚시하 = fish : 강가 바닷가 : tap
놀 = have fun : 놀이터 공원 동물원 바닷가 : tap
기다리 = wait : 역 병원 은행 우체국 광장 시청 : ta
노래하 = sing : 극장 학교 광장 공원 방송국 : tap
졸 = doze : 도서관 학교 극장 거실 정원 : u
목욕하 = take a bath : 목욕탕 : ap
연습하 = practise : 극장 학교 체육관 방송국 : tap
--
하이킹하 = hike : 언덕 숲 : tal
캠핑하 = camp : 숲 캠핑장 강가 호숫가 : tapl
명상하 = meditate : 숲 정원 다락방 호숫가 : tap
토론하 = debate : 학교 시청 강당 대학교 : t
쇼핑하 = shop : 시장 백화점 슈퍼마켓 : tap
하품하 = yawn : 교실 도서관 극장 사무실 : u
속삭이 = whisper : 극장 도서관 교실 : t
기도하 = pray : 병원 언덕 숲 : ta
넘어지 = fall down : 놀이터 스케이트장 체육관 광장 : !
미끄러지 = slip : 스케이트장 수영장 목욕탕 : !
줄을 서 = stand in line : 은행 정류장 공항 극장 : ta
소리치 = shout : 광장 놀이터 야구장 축구장 : t
발표하 = give a talk : 학교 대학교 강당 시청 : tl
헤매 = wander : 숲 공항 백화점 시장 : !t
소풍을 즐기 = enjoy a picnic : 공원 언덕 숲 호숫가 : tp
체조하 = do gymnastics : 체육관 학교 강당 : tap
봉사하 = volunteer : 복지관 병원 도서관 동물 병원 : tal
회의하 = hold a meeting : 사무실 시청 호텔 : t
실험하 = do an experiment : 과학실 대학교 : tal
""".strip().splitlines()

TOWARDS_PEOPLE = (
    """
만나 = meet e; 돕 (ㅂ) = help e; 기다리 = wait for e; 칭찬하 = praise e; 초대하 = invite v; 안 = hug e
찾아가 = visit v; 그리워하 = miss s; 믿 = trust s; 용서하 = forgive v; 축하하 = congratulate e
소개하 = introduce v; 응원하 = cheer for e; 사랑하 = love s; 존경하 = respect s; 깨우 = wake v
놀리 = tease e
--
위로하 = comfort e; 격려하 = encourage e; 인터뷰하 = interview e; 설득하 = persuade e; 속이 = deceive v
비판하 = criticise v; 추천하 = recommend v; 방해하 = disturb e; 꾸짖 = scold e; 부러워하 = envy s
미워하 = hate s; 걱정하 = worry about s; 아끼 = cherish s; 따라가 = follow v; 구하 = rescue e
발견하 = spot x; 배웅하 = see off e; 마중하 = welcome e; 부축하 = support e
""".replace("\n", ";")
    .replace("--", "; --")
    .split(";")
)

GIVING = """
주 = give : thing.k fruit snack reading text clothes plant.s
보내 = send : thing.k reading text clothes plant.s
보여 주 = show : thing.k fruit snack reading text clothes plant.s
빌려주 = lend : thing.k reading clothes
가져다주 = bring : thing.k fruit snack reading text clothes plant.s
돌려주 = return : thing.k reading clothes
--
선물하 = present : thing.p plant.s reading clothes
넘겨주 = pass : thing.k text reading
맡기 = entrust : thing.k text
읽어 주 = read : text reading.r
팔 = sell : thing.k fruit plant.s clothes
추천하 = recommend : reading show fruit
""".strip().splitlines()

# Korean = English, comparative, opposite : whom or what it describes : opinion : what it is about
# A sign behind that: ! bears no degree but "really", + bears no "a little".
ADJECTIVES = """
맛있 = delicious, more delicious, awful : taste : 1 : taste !
달 = sweet, sweeter, bitter : sweet : 0 : flavour
쓰 = bitter, more bitter, sweet : bitter : 0 : flavour
짜 = salty, saltier, : salty : -1 : flavour
맵 (ㅂ) = spicy, spicier, mild : spicy : 0 : flavour
순하 = mild, milder, spicy : spicy : 0 : flavour
시 = sour, sourer, : fruit : 0 : sour
신선하 = fresh, fresher, : fresh : 1 : fresh
맛없 = awful, more awful, delicious : taste : -1 : taste !
훌륭하 = excellent, more excellent, poor : work service : 1 : quality !
형편없 = poor, poorer, excellent : work service : -1 : quality !
끔찍하 = terrible, more terrible, : service : -1 : quality !
재미있 = interesting, more interesting, boring : work : 1 : interest
지루하 = boring, more boring, interesting : work : -1 : interest
아름답 (ㅂ) = beautiful, more beautiful, ugly : scenic plant : 1 : look
예쁘 = pretty, prettier, : wear flower : 1 : look
멋있 = stylish, more stylish, : style : 1 : look
깨끗하 = clean, cleaner, dirty : clean place : 1 : clean
더럽 (ㅂ) = dirty, dirtier, clean : clean place : -1 : clean
비싸 = expensive, more expensive, cheap : price : -1 : price
싸 = cheap, cheaper, expensive : price : 1 : price
크 = big, bigger, small : size : 0 : size
작 = small, smaller, big : size : 0 : size
길 = long, longer, short : work length : 0 : length
짧 = short, shorter, long : work length : 0 : length
넓 = spacious, more spacious, cramped : wide : 1 : room
좁 = cramped, more cramped, spacious : indoor : -1 : room
무겁 (ㅂ) = heavy, heavier, light : heavy : 0 : weight
가볍 (ㅂ) = light, lighter, heavy : heavy : 0 : weight
빠르 (르) = fast, faster, slow : quick service : 1 : speed
느리 = slow, slower, fast : quick service : -1 : speed
밝 = bright, brighter, dark : indoor : 1 : light
어둡 (ㅂ) = dark, darker, bright : indoor : -1 : light
조용하 = quiet, quieter, noisy : place machine : 1 : noise
시끄럽 (ㅂ) = noisy, noisier, quiet : place machine : -1 : noise
편하 = comfortable, more comfortable, uncomfortable : comfort : 1 : comfort
불편하 = uncomfortable, more uncomfortable, comfortable : comfort : -1 : comfort
튼튼하 = sturdy, sturdier, flimsy : heavy furniture : 1 : strength
친절하 = kind, kinder, unkind : person service : 1 : kindness
불친절하 = unkind, more unkind, kind : person service : -1 : kindness
똑똑하 = clever, cleverer, foolish : person : 1 : mind
어리석 = foolish, more foolish, clever : person : -1 : mind
게으르 (르) = lazy, lazier, diligent : person : -1 : work
부지런하 = diligent, more diligent, lazy : person : 1 : work
바쁘 = busy, busier, free : person state : 0 : time
한가하 = free, freer, busy : state : 0 : time
행복하 = happy, happier, sad : person state : 0 : mood +
슬프 = sad, sadder, happy : state : 0 : mood
피곤하 = tired, more tired, : state : 0 : tired
아프 = ill, more ill, healthy : person state : 0 : health
건강하 = healthy, healthier, ill : person : 0 : health +
배고프 = hungry, hungrier, full : state : 0 : hunger
배부르 (르) = full, fuller, hungry : state : 0 : hunger
젊 = young, younger, : person : 0 : age +
정직하 = honest, more honest, dishonest : person : 1 : honesty
용감하 = brave, braver, timid : person : 1 : courage
겁이 많 = timid, more timid, brave : person : 0 : courage
차분하 = calm, calmer, : person : 1 : calm
귀엽 (ㅂ) = cute, cuter, : cute : 1 : look
사납 (ㅂ) = fierce, fiercer, tame : tame : -1 : temper
온순하 = tame, tamer, fierce : tame : 1 : temper
덥 (ㅂ) = hot, hotter, cold : weather : 0 : heat
춥 (ㅂ) = cold, colder, hot : weather : 0 : heat
따뜻하 = warm, warmer, cool : weather : 0 : heat
시원하 = cool, cooler, warm : weather : 0 : heat
맑 = clear, clearer, cloudy : weather : 0 : sky +
흐리 = cloudy, cloudier, clear : weather : 0 : sky
빨갛 (ㅎ) = red, redder, : colour : 0 : colour
파랗 (ㅎ) = blue, bluer, : colour : 0 : colour
노랗 (ㅎ) = yellow, yellower, : colour : 0 : colour
하얗 (ㅎ) = white, whiter, : colour : 0 : colour
까맣 (ㅎ) = black, blacker, : colour : 0 : colour
--
싱겁 (ㅂ) = bland, blander, : salty : -1 : flavour
느끼하 = greasy, greasier, : greasy : -1 : grease
부드럽 (ㅂ) = soft, softer, hard : baked : 1 : texture
딱딱하 = hard, harder, soft : baked : -1 : texture
담백하 = light-tasting, more light-tasting, : light : 1 : grease
향기롭 (ㅂ) = fragrant, more fragrant, : flower bitter : 1 : smell
흥미롭 (ㅂ) = fascinating, more fascinating, : work : 1 : interest
유익하 = informative, more informative, : useful : 1 : use
어렵 (ㅂ) = difficult, more difficult, easy : reading : 0 : effort
쉽 (ㅂ) = easy, easier, difficult : reading : 0 : effort
화려하 = spectacular, more spectacular, : spectacle : 1 : look
무섭 (ㅂ) = scary, scarier, : scary : 0 : fear
슬기롭 (ㅂ) = wise, wiser, : person : 1 : mind
따분하 = dull, duller, : work : -1 : interest
아늑하 = cosy, cosier, : indoor : 1 : comfort
쾌적하 = pleasant, more pleasant, : place : 1 : comfort
답답하 = stuffy, stuffier, : indoor : -1 : air
멀 = far, farther, near : town : 0 : distance
가깝 (ㅂ) = near, nearer, far : town : 0 : distance
허술하 = flimsy, flimsier, sturdy : heavy furniture : -1 : strength
촌스럽 (ㅂ) = old-fashioned, more old-fashioned, : style : -1 : look
수수하 = plain, plainer, : style : 0 : look
꼼꼼하 = careful, more careful, careless : person service : 1 : care
무례하 = rude, ruder, polite : person service : -1 : manners
공손하 = polite, politer, rude : person service : 1 : manners
관대하 = generous, more generous, stingy : person : 1 : money
인색하 = stingy, stingier, generous : person : -1 : money
겸손하 = modest, more modest, arrogant : person : 1 : pride
거만하 = arrogant, more arrogant, modest : person : -1 : pride
성실하 = hardworking, more hardworking, : person : 1 : work
명랑하 = cheerful, more cheerful, gloomy : person : 1 : spirit
우울하 = gloomy, gloomier, cheerful : state : 0 : spirit
심심하 = bored, more bored, : state : 0 : boredom
외롭 (ㅂ) = lonely, lonelier, : state : 0 : company
졸리 = sleepy, sleepier, : state : 0 : tired
목마르 (르) = thirsty, thirstier, : state : 0 : thirst
조심스럽 (ㅂ) = cautious, more cautious, : person : 0 : risk
엄격하 = strict, stricter, : person : 0 : rule
솔직하 = frank, franker, : person : 1 : honesty
교활하 = sly, slyer, : person : -1 : honesty
욕심이 많 = greedy, greedier, : person : -1 : money
신속하 = prompt, prompter, : service : 1 : speed
정확하 = accurate, more accurate, : service : 1 : care
후덥지근하 = muggy, muggier, : weather : 0 : heat
쌀쌀하 = chilly, chillier, : weather : 0 : heat
화창하 = sunny, sunnier, : weather : 0 : sky +
""".strip().splitlines()


def _predicate(text: str, kind: str) -> Predicate:
    stem, _, irregular = text.strip().partition(" (")
    if kind == "adjective" and stem[-1] in "있없":
        kind = "existence"
    return Predicate(stem, kind, irregular.rstrip(")"))


def _rows(lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield each line of a table, and whether it belongs to the core."""
    core = True
    for line in lines:
        if line.strip() == "--":
            core = False
        elif line.strip():
            yield line, core


def _english(text: str) -> dict[str, str]:
    en, _, lasting = text.strip().partition("/")
    return {"en": en, "lasting": lasting}


def _transitive(line: str, core: bool) -> Verb:
    words, rest, *flags = re.split(" : | :$", line)
    ko, en = words.split(" = ")
    uses = []
    for use in rest.split(";"):
        kinds, _, places = use.partition("@")
        uses.append((tuple(kinds.split()), tuple(places.split())))
    kinds = [kind.split(".")[0] for kinds, _ in uses for kind in kinds]
    return Verb(
        _predicate(ko, "verb"),
        **_english(en),
        objects=tuple(dict.fromkeys(kinds)),
        places=tuple(dict.fromkeys(place for _, places in uses for place in places)),
        uses=tuple(uses),
        flags=flags[0].strip() if flags else "",
        core=core,
    )


def _activity(line: str, core: bool) -> Verb:
    words, places, *flags = re.split(" : | :$", line)
    ko, en = words.split(" = ")
    return Verb(
        _predicate(ko, "verb"),
        en.strip(),
        places=_places(places),
        flags=flags[0].strip() if flags else "",
        core=core,
    )


def _places(text: str) -> tuple[str, ...]:
    """Split names of places, of which some have a space."""
    for name in ("동물 병원",):
        text = text.replace(name, name.replace(" ", "_"))
    return tuple(name.replace("_", " ") for name in text.split())


def _towards(entry: str, core: bool) -> Verb:
    ko, en = entry.split(" = ")
    return Verb(_predicate(ko, "verb"), en.strip()[:-2], flags=en.strip()[-1], core=core)


def _adjective(line: str, core: bool) -> Adjective:
    words, of, opinion, about = (part.strip() for part in line.split(" : "))
    ko, rest = words.split(" = ")
    en, comparative, opposite = (part.strip() for part in (rest + " ").split(","))
    about, _, sign = about.partition(" ")
    return Adjective(
        _predicate(ko, "adjective"),
        *(en, tuple(of.split()), int(opinion), opposite, comparative, about, sign, core),
    )


ACTION_VERBS = tuple(_transitive(*row) for row in _rows(ACTIONS))
ACTIVITY_VERBS = tuple(_activity(*row) for row in _rows(ACTIVITIES))
PEOPLE_VERBS = tuple(_towards(*row) for row in _rows(TOWARDS_PEOPLE))
GIVING_VERBS = tuple(_transitive(*row) for row in _rows(GIVING))
ALL_ADJECTIVES = tuple(_adjective(*row) for row in _rows(ADJECTIVES))
