export { errorTexts, TurboError, type TurboErrorCode } from './errors.js';
