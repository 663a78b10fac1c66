/** How many headers a client may send. Kourier behind the edge takes 100, including those that the edge adds. */
export const MAX_HEADERS = 90;
/** Above this limit Envoy does not read the request at all. */
export const MAX_READ_HEADERS = 1000;
/** The size limit of a request's path and headers together. */
export const MAX_HEADER_KIBIBYTES = 31;
/** Room for the headers that the authorisation service adds, because Envoy checks the size again after that. */
export const ADDED_HEADER_KIBIBYTES = 1;
