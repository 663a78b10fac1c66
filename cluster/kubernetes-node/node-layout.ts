/**
 * The folder of everything that the node writes. It is short, because a socket's path may have 107 bytes. `down`
 * removes it.
 */
export const NODE_FOLDER = '/var/lib/davit-cluster';
export const KUBECONFIG = `${NODE_FOLDER}/kubeconfig`;
export const LOGS_FOLDER = `${NODE_FOLDER}/logs`;
/** The names of the images that the registry holds from the start: `{activator: 'localhost:5001/…'}`. */
export const IMAGES_FILE = `${NODE_FOLDER}/images.json`;
/** Exists once `davit cluster up` has installed Knative completely. */
export const KNATIVE_INSTALLED = `${NODE_FOLDER}/knative-installed`;
/** kubectl's cache for this cluster, which would otherwise be in the user's home. */
export const KUBECTL_CACHE = `${NODE_FOLDER}/kubectl`;
export const CONTAINERD_SOCKET = `${NODE_FOLDER}/containerd.sock`;
/** The socket of the engine that builds images on the node. */
export const DOCKER_SOCKET = `${NODE_FOLDER}/docker.sock`;

export const NODE_NAME = 'davit-node';
/** The node has its own network. A veth pair with these two addresses connects it with the machine. */
export const MACHINE_ADDRESS = '10.243.0.1';
export const NODE_ADDRESS = '10.243.0.2';
export const VETH_NAME = 'davit-cluster';
export const VETH_RANGE = '10.243.0.0/30';
export const POD_RANGE = '10.244.0.0/16';
/** The pod addresses of the one node: 4094. */
export const NODE_POD_RANGE = '10.244.0.0/20';
export const SERVICE_RANGE = '10.96.0.0/16';
/** The first address of SERVICE_RANGE. Kubernetes gives it to its own API. */
export const API_SERVICE_ADDRESS = '10.96.0.1';
export const DNS_ADDRESS = '10.96.0.10';
export const API_PORT = 6443;

/** The registry has the same name on the machine and on the node, because both reach it on their own loopback. */
export const REGISTRY = 'localhost:5001';
/** The parent of all control groups of the node. */
export const CONTROL_GROUP = 'davit-cluster';
