"""A WordNet of a few invented entries in the files of wndb(5WN), which NLTK's reader takes too."""

from pathlib import Path

SENSES = {  # part of speech: words of each sense
    "noun": [["effusion", "outflow", "body_fluid"], ["film", "picture", "movie"], ["film", "layer"], ["man", "adult"]],
    "verb": [["see", "view", "find"], ["enlarge", "magnify"], ["find", "detect"]],
    "adj": [["small", "little(a)"], ["big", "large(ip)"], ["clear", "unclouded"]],
    "adv": [["well", "good"], ["mildly", "slightly"]],
}
EXCEPTIONS = {"noun": ["men man"], "verb": ["seen see", "saw see", "found find"], "adj": ["better good"], "adv": []}
LETTERS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}


def wordnet_folder(folder: Path) -> Path:
    """Write the files, with a licence in front of each as in the real ones."""
    folder.mkdir(parents=True)
    for part, senses in SENSES.items():
        data = "  1 An invented licence.  \n"
        places: dict[str, list[int]] = {}
        for words in senses:
            for word in words:
                places.setdefault(word.partition("(")[0].lower(), []).append(len(data))
            listed = " ".join(f"{word} 0" for word in words)
            frames = " 00" if part == "verb" else ""
            data += f"{len(data):08d} 00 {LETTERS[part]} {len(words):02x} {listed} 000{frames} | a gloss  \n"
        index = "  1 An invented licence.  \n"
        for word, found in sorted(places.items()):
            offsets = " ".join(f"{place:08d}" for place in found)
            index += f"{word} {LETTERS[part]} {len(found)} 1 @ {len(found)} 0 {offsets}  \n"
        (folder / f"data.{part}").write_text(data)
        (folder / f"index.{part}").write_text(index)
        (folder / f"{part}.exc").write_text("".join(line + "\n" for line in EXCEPTIONS[part]))
    (folder / "lexnames").write_text("00\tnoun.all\t3\n")  # NLTK's reader alone needs it
    return folder
