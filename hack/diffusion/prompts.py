"""300 prompts that a tokenizer may stumble over: all scripts, emoji, odd spaces, special tokens inside text."""

import random

# Escapes stand for what an editor would not show.
PLAIN = """\
a photo of a red apple on a wooden table
a bottle of perfume on white marble, soft morning light, 85mm, f/1.8
product photo, studio lighting, beige seamless backdrop
A Ceramic Mug On A Linen Cloth
LOW QUALITY, BLURRY, WATERMARK, TEXT
ugly, deformed, extra product, jpeg artifacts
(masterpiece:1.2), [best quality], {{sharp focus}}
an astronaut riding a horse on mars, artstation, hd, dramatic lighting, detailed
teal & orange, 50% grey, #ff8800, rgb(12, 34, 56)
it's the shop's best, we're sure they've seen it, I'd say; he'll agree, I'm certain, don't you?
IT'S WE'RE THEY'VE I'D HE'LL I'M DON'T
rock'n'roll o'clock 'tis 'quoted' ''double''
'smith 'test 'reverie 'llama 'dog 'method 'vein
2 cups, 10 plates, 100 forks, 1000 spoons, 2024-11-24T13:30:00Z
v1.5.3-rc.2+build.7
$19.99 or €17,50 or £15 or ¥2000 or ₹1500
http://example.com/a?b=c&d=e#f user@example.com C:\\path\\file.txt
snake_case camelCase kebab-case SCREAMING_CASE __init__
!!! ??? ... --- *** ~~~ ``` ||| <<<>>> ((())) [[[]]]
a!b!c ! !! hello! !hello
!
?
.
a
z
0
9
aa
the
""".splitlines()

SCRIPTS = """\
красная ваза на столе у окна
ваза, ВАЗА, Ваза
блакитна чашка з ґанку, їжак і єнот
κόκκινο βάζο πάνω σε τραπέζι
ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ Σ
אגרטל אדום על שולחן
שָׁלוֹם
مزهرية حمراء على الطاولة
مَرْحَبًا بِكَ
گلدان قرمز روی میز
سرخ گلدان
मेज पर लाल फूलदान
टेबल पर एक किताब रखी है
টেবিলে লাল ফুলদানি
ਮੇਜ਼ ਉੱਤੇ ਲਾਲ ਫੁੱਲਦਾਨ
ટેબલ પર લાલ ફૂલદાની
மேசையில் சிவப்பு குவளை
టేబుల్ మీద ఎరుపు వాసే
ಮೇಜಿನ ಮೇಲೆ ಕೆಂಪು ಹೂದಾನಿ
മേശപ്പുറത്ത് ചുവന്ന പാത്രം
මේසය මත රතු බඳුනක්
แจกันสีแดงบนโต๊ะ
ແຈກັນສີແດງຢູ່ເທິງໂຕະ
စားပွဲပေါ်မှာ အနီရောင်ပန်းအိုး
ថូ​ក្រហម​នៅ​លើ​តុ
桌上的红色花瓶
桌子上的紅色花瓶
机の上の赤い花瓶
アカイ カビン ｱｶｲ
ひらがなとカタカナと漢字
탁자 위의 빨간 꽃병
한국어 조합
წითელი ვაზა მაგიდაზე
ᲬᲘᲗᲔᲚᲘ
կարմիր ծաղկաման սեղանին
ԿԱՐՄԻՐ և
ቀይ የአበባ ማስቀመጫ
བཀྲ་ཤིས་བདེ་ལེགས།
улаан ваар ᠮᠣᠩᠭᠣᠯ
ᏣᎳᎩ ꭰꭱ
ᚠᚢᚦᚨᚱᚲ
𐍈𐌰𐌹𐍂𐌰
𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝒮𝒸𝓇𝒾𝓅𝓉 𝟙𝟚𝟛
𠮷野家 𠀀
bình hoa đỏ trên bàn gỗ
czerwony wazon na stole, żółć, gęślą jaźń
červená váza, žluťoučký kůň
rdeča vaza na mizi, čšž
piros váza az asztalon, árvíztűrő tükörfúrógép
masanın üzerinde kırmızı vazo, İSTANBUL, ışık, Iğdır
İ I ı i
Straße STRASSE ẞ ß
blå vase på bordet, smørrebrød, Ærø, ÅNGSTRÖM
rauð vasa á borðinu, þorn, ÐÞ
punainen maljakko pöydällä
vaso rojo sobre la mesa, ¿qué tal?, ¡olé!, niño, pingüino
vase rouge sur la table, œuf, garçon, où, naïve, À PROPOS
vermelho, coração, ações
roşu vază pe masă, ș ț Ș Ț
ħobż, ġnien, żebbuġ
fás na gcrann, ḃ ċ ḋ ḟ ġ ṁ ṗ ṡ ṫ
ʻōlelo Hawaiʻi
ɐɑɒɓɔ ʃʒʔʕ
ʰʲʷ ᵃᵇᶜ
""".splitlines()

SYMBOLS = [
    "😀", "😀😃😄", "red 🍎 on a 🪵 table", "👍🏽 👍🏿", "👨‍👩‍👧‍👦 family", "🏳️‍🌈 🏴‍☠️", "🇩🇪🇫🇷🇯🇵", "❤️ vs ❤", "✨✨✨ sparkle ✨",
    "1️⃣2️⃣3️⃣", "☕️+🍰=❤️", "🫠🫡🫥", "©®™ ℠", "½ ¼ ¾ ⅓", "x² + y³ = z⁴", "H₂O CO₂", "Ⅳ ⅷ ①②③ ⑳ ⒈", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "一二三 〇",
    "→ ← ↑ ↓ ⇒ ∀x∈ℝ ∃y ≤ ≥ ≠ ≈ ∞", "∑∏∫√∂∇", "α β γ Δ Ω µ μ Ω K Å", "“quoted” ‘single’ „low“ «guillemets» ‹x›", "a–b—c―d−e‐f‑g",
    "… ‥ ․", "• ◦ ▪ ■ □ ▲ ★ ☆", "─│┌┐└┘█▓▒░", "♠♥♦♣ ♪♫", "※ § ¶ † ‡ ‰ ′ ″", "😀a😀1😀!😀", "ﬁne ﬂow oﬃce", "ＦＵＬＬ ｗｉｄｔｈ １２３", "㎏ ㎡ ㏄ ℃ ℉",
    "Ǆ ǅ ǆ Ǉ ǈ ǉ", "ŉ ǰ ΐ ΰ ẖ", "¡¢£¤¥¦§¨©ª«¬®¯°±²³´µ¶·¸¹º»¼½¾¿", "\u007f\u0080\u0085\u009f", "Ⓐ ⓐ 🅰 🄰",
]  # fmt: skip

SPACES = [
    "", " ", "   ", "\t", "\n", "\r\n", "\t \n \r ", "  leading", "trailing  ", "two  spaces", "many      spaces", "tab\tseparated\twords", "new\nline\n\nparagraph",
    "carriage\rreturn", "vertical\u000btab form\u000cfeed", "no\u00a0break", "narrow\u202fno\u2009break\u200athin", "en\u2002em\u2003figure\u2007",
    "ideographic\u3000space", "ogham\u1680mark", "line\u2028sep\u2029para", "next\u0085line", "zero\u200bwidth", "joiner\u200cnon\u200djoiner", "word\u2060joiner",
    "bom\ufeffinside", "\ufeffbom first", "soft\u00adhyphen", "mongolian\u180evowel", "null\u0000inside", "bell\u0007 escape\u001b unit\u001f", "rtl\u202eoverride\u202c",
    "left\u200eto\u200fright", "\u00a0\u3000\u2003", "a \u200b b", "variation\ufe0fselector", "tag\U000e0041chars", "private\ue000use", "non\uffffchar", "replacement\ufffdchar",
]  # fmt: skip

COMBINING = [
    "cafe\u0301", "caf\u00e9", "e\u0301\u0323 e\u0323\u0301", "A\u030a \u212b \u00c5", "\u1e9b\u0323", "o\u0302\u0323 \u1ed9", "n\u0303 \u00f1", "\u0041\u0308\u0304",
    "\u1100\u1161\u11a8 \uac01", "\u0915\u093c \u0958", "\u05e9\u05c1 \ufb2a", "\u0301alone", "z\u0351\u0352a\u0353l\u0354g\u0355o", "\u0344", "\u2126 \u03a9", "\u212a \u004b",
    "I\u0307", "i\u0307", "\ufb01", "\u1e9e\u0301", "\u03a3\u0301", "\u0130\u0301",
]  # fmt: skip

SPECIAL = [
    "<|startoftext|>", "<|endoftext|>", "<|startoftext|>a cat<|endoftext|>", "a cat<|endoftext|>a dog", "a <|endoftext|> b", "<|ENDOFTEXT|>", "<|StartOfText|>", "<|endoftext|",
    "|endoftext|>", "< |endoftext| >", "<|endoftext|><|endoftext|>", "a<|startoftext|>b", "  <|endoftext|>  ", "<|pad|>", "<pad> <s> </s> [CLS] [SEP] [MASK]", "</w>", "cat</w> dog</w>",
    "<|endoftext|>!", "don<|endoftext|>'t", "é<|endoftext|>é", "<|endoftext|>\n<|endoftext|>", "<cat-toy> on a table", "a photo of sks dog", "<lora:detail:0.8>",
]  # fmt: skip

LONG = [
    " ".join(["cat"] * 74), " ".join(["cat"] * 75), " ".join(["cat"] * 76), " ".join(["cat"] * 77), " ".join(["cat"] * 150), " ".join(["cat"] * 151), " ".join(["cat"] * 300), "a" * 500, "ab" * 200,
    "1" * 100, "!" * 120, "😀" * 60, "é" * 100, "漢" * 80, ", ".join(["sharp focus, high detail"] * 20), "supercalifragilisticexpialidocious " * 12,
    "pneumonoultramicroscopicsilicovolcanoconiosis", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "a cat <|endoftext|> " * 30, ("x" * 40 + " ") * 10,
]  # fmt: skip

SUBJECTS = ["mug", "perfume bottle", "wristwatch", "sneaker", "candle", "ring box", "olive oil", "skincare jar", "handbag", "espresso machine"]
SURFACES = ["oak", "terrazzo", "brushed steel", "travertine", "linen", "wet slate", "moss", "crumpled paper"]
LIGHTS = ["golden hour", "overcast", "hard noon sun", "candle-light", "neon (pink/blue)", "back-lit", "softbox 120cm"]
EXTRAS = ["eucalyptus sprigs", "ice cubes & mint", "3 lemons", "no text", "bokeh @ f/1.4", "steam rising", "it's raining", "50mm-lens"]
COUNT = 300


def prompts() -> list[str]:
    """Always the same 300, no two alike."""
    chosen = [*PLAIN, *SCRIPTS, *SYMBOLS, *SPACES, *COMBINING, *SPECIAL, *LONG]
    generator = random.Random(20240611)
    while len(chosen) < COUNT:
        words = [generator.choice(part) for part in (SUBJECTS, SURFACES, LIGHTS, EXTRAS)]
        prompt = "a {} on {}, {}, {}".format(*words)
        chosen.append(prompt if generator.random() < 0.7 else prompt.upper())
    distinct = list(dict.fromkeys(chosen))
    if len(distinct) != COUNT:
        raise ValueError(f"{len(distinct)} different prompts, {COUNT} are wanted")
    return distinct
