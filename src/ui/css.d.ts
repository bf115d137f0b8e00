/** Styles that come with a part that is fetched later. */
declare module '*.css';
