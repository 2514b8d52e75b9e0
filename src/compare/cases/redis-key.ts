/** What is asked for with GET; whether there is such a key makes no difference. */
export const KEY = 'turbotls:compare';
