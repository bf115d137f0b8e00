import { RandomBits } from './random-bits.ts';

/** Common words, nearly all of one token each. */
const words =
  `about above across after again air all along also always among animal another answer any around ask away back
ball bank base bed been before begin behind being below best better between big bird black blue board boat body book both
box boy bring brown build built busy call came can car care carry change city clear close cold come common cook could
country course cover cross cut dark day deep did different direct dog done door down draw dream drive dry during each early
earth east eat end enough even ever every example eye face fact fall family far farm fast father feel few field fill final
find fine fire first fish five floor fly follow food foot force form found four free friend from front full game gave girl
give glass gold gone good govern great green ground group grow half hand happen hard have head hear heart heat heavy help
here high hill hold home horse hot hour house hundred idea inch inside island just keep kind king knew know land language
large last late laugh law lay lead learn leave left less letter life light like line list listen little live long look love
low machine made main make man many map mark may mean measure men might mile mind minute miss money moon more morning most
mother mountain move much music must name near need never new next night north note nothing notice noun now number object
ocean off often oil old once one only open order other our out over own page paper part pass people perhaps person picture
piece place plain plan plane plant play point port power press problem produce product pull put question quick rain ran
reach read ready real record red remember rest right river road rock room round rule run said same saw say school science
sea second see seem self sentence serve set several shape she ship short should show side simple sing sit six size sleep
slow small snow some song soon sound south space special spell stand star start state stay step still stood stop story
street strong study such summer sun sure surface table tail take talk teach tell ten test than that their them then there
these they thing think this those though thought thousand three through time together told too took top toward town travel
tree true try turn two under unit until upon use usual very voice vowel wait walk want war warm was watch water wave way
week weight well went were west what wheel when where which while white who whole why will wind window winter wish with
wonder wood word work world would write year yes young`.split(/\s+/);

/** So many words, the same ones for the same seed: prompts of different seeds share no beginning. */
export function someWords(count: number, seed: number): string {
  const bits = new RandomBits(Math.imul(seed + 1, 2_654_435_761));
  return Array.from({ length: count }, () => words[bits.next() % words.length]).join(' ');
}
