/** An image whose content is not a model that Davit can read. The message names the fault, for a diagnostic. */
export class ImageContentError extends Error {}
