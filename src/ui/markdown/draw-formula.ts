import katex from 'katex';
import 'katex/dist/katex.min.css';
import '../styles/math.css';

/** Puts the formula into the element; as elements, never as a string of HTML. What is no TeX stands there as written. */
export function drawFormula(place: HTMLElement, tex: string, display: boolean): void {
  try {
    katex.render(tex, place, {
      displayMode: display,
      throwOnError: true,
      strict: false,
      trust: false,
      // Of what is not done for want of trust, as links: a colour of its own would be too dark at night.
      errorColor: 'currentColor',
      maxSize: 50,
      maxExpand: 500,
    });
  } catch {
    place.replaceChildren(tex);
  }
}
