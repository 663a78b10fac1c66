// Enforces network policies on the node: kube-network-policies with a kubeconfig, because it runs outside any pod.
package main

import (
	"context"
	"flag"
	"net/http"
	"os/signal"
	"syscall"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

var (
	kubeconfig = flag.String("kubeconfig", "", "path of the kubeconfig")
	node       = flag.String("hostname-override", "", "name of the node")
	ready      = flag.String("ready-address", "127.0.0.1:9080", "address that answers once policies are enforced")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		klog.Fatal(err)
	}
}

func run(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	policies := factory.Networking().V1().NetworkPolicies()
	namespaces := factory.Core().V1().Namespaces()
	pods := factory.Core().V1().Pods()
	controller, err := networkpolicy.NewController(client, policies, namespaces, pods, nil, nil, nil, nil,
		networkpolicy.Config{
			NodeName: *node,
			// Without this program nothing is refused, so that killing it in a test stops no traffic.
			FailOpen: true,
			// Version 0.8.0 dereferences nil at the first address that is no pod's if this is set. containerd 1.6 has no
			// NRI, so nothing but a line in the log comes of it.
			NRIdisabled: false,
		})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	go func() {
		klog.Fatal(http.ListenAndServe(*ready, http.NotFoundHandler()))
	}()
	return controller.Run(ctx)
}
