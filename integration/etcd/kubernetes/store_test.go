// Package kubernetes drives the apiserver's etcd3 store through its public interface, as the apiserver makes it.
// ETCD_ENDPOINT is the server's address. Each test works under a prefix of its own.
package kubernetes

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/apitesting"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/apiserver/pkg/apis/example"
	examplev1 "k8s.io/apiserver/pkg/apis/example/v1"
	"k8s.io/apiserver/pkg/storage"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/storage/storagebackend/factory"

	clientv3 "go.etcd.io/etcd/client/v3"
)

var scheme = runtime.NewScheme()

func init() {
	metav1.AddToGroupVersion(scheme, metav1.SchemeGroupVersion)
	for _, add := range []func(*runtime.Scheme) error{example.AddToScheme, examplev1.AddToScheme} {
		if err := add(scheme); err != nil {
			panic(err)
		}
	}
}

func setup(t *testing.T) (storage.Interface, *clientv3.Client, context.Context) {
	t.Helper()
	address := os.Getenv("ETCD_ENDPOINT")
	if address == "" {
		t.Fatal("ETCD_ENDPOINT names no server")
	}
	codec := apitesting.TestCodec(serializer.NewCodecFactory(scheme), examplev1.SchemeGroupVersion)
	config := storagebackend.NewDefaultConfig(fmt.Sprintf("/registry/%s%d", t.Name(), time.Now().UnixNano()), codec)
	config.Transport.ServerList = []string{address}
	store, destroy, err := factory.Create(
		*config.ForResource(schema.GroupResource{Resource: "pods"}),
		func() runtime.Object { return &example.Pod{} },
		func() runtime.Object { return &example.PodList{} },
		"/pods",
	)
	must(t, err)
	t.Cleanup(destroy)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{address}})
	must(t, err)
	t.Cleanup(func() { client.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return store, client, ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, ctx context.Context, store storage.Interface, name string, ttl uint64) *example.Pod {
	t.Helper()
	made := &example.Pod{}
	must(t, store.Create(ctx, "/pods/ns/"+name, &example.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"}}, made, ttl))
	return made
}

func label(t *testing.T, ctx context.Context, store storage.Interface, name, value string) *example.Pod {
	t.Helper()
	changed := &example.Pod{}
	must(t, store.GuaranteedUpdate(ctx, "/pods/ns/"+name, changed, false, nil, storage.SimpleUpdate(func(current runtime.Object) (runtime.Object, error) {
		pod := current.(*example.Pod).DeepCopy()
		pod.Labels = map[string]string{"l": value}
		return pod, nil
	}), nil))
	return changed
}

func list(ctx context.Context, store storage.Interface, version string, match metav1.ResourceVersionMatch, limit int64, next string) (*example.PodList, error) {
	found := &example.PodList{}
	err := store.GetList(ctx, "/pods/ns/", storage.ListOptions{
		ResourceVersion:      version,
		ResourceVersionMatch: match,
		Recursive:            true,
		Predicate:            predicate(limit, next),
	}, found)
	return found, err
}

func predicate(limit int64, next string) storage.SelectionPredicate {
	all := storage.Everything
	all.Limit = limit
	all.Continue = next
	return all
}

func names(pods *example.PodList) string {
	text := ""
	for _, pod := range pods.Items {
		text += pod.Name + " "
	}
	return text
}

func TestCreateGetAndConflicts(t *testing.T) {
	store, _, ctx := setup(t)
	made := create(t, ctx, store, "a", 0)
	err := store.Create(ctx, "/pods/ns/a", &example.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a"}}, nil, 0)
	if !storage.IsExist(err) {
		t.Fatalf("created twice: %v", err)
	}
	got := &example.Pod{}
	must(t, store.Get(ctx, "/pods/ns/a", storage.GetOptions{}, got))
	if got.ResourceVersion != made.ResourceVersion {
		t.Fatalf("got version %s, made %s", got.ResourceVersion, made.ResourceVersion)
	}
	if err := store.Get(ctx, "/pods/ns/b", storage.GetOptions{}, got); !storage.IsNotFound(err) {
		t.Fatalf("got what is not there: %v", err)
	}
	label(t, ctx, store, "a", "new")
	late := storage.Preconditions{ResourceVersion: &made.ResourceVersion}
	err = store.Delete(ctx, "/pods/ns/a", &example.Pod{}, &late, storage.ValidateAllObjectFunc, nil, storage.DeleteOptions{})
	if err == nil {
		t.Fatal("deleted at an old version")
	}
	must(t, store.Delete(ctx, "/pods/ns/a", &example.Pod{}, nil, storage.ValidateAllObjectFunc, nil, storage.DeleteOptions{}))
}

func TestGuaranteedUpdatesOfManyWritersAllCount(t *testing.T) {
	store, _, ctx := setup(t)
	create(t, ctx, store, "counter", 0)
	const writers, times = 4, 10
	failures := make(chan error, writers)
	for range writers {
		go func() {
			for range times {
				err := store.GuaranteedUpdate(ctx, "/pods/ns/counter", &example.Pod{}, false, nil, storage.SimpleUpdate(func(current runtime.Object) (runtime.Object, error) {
					pod := current.(*example.Pod).DeepCopy()
					count, _ := strconv.Atoi(pod.Labels["count"])
					pod.Labels = map[string]string{"count": strconv.Itoa(count + 1)}
					return pod, nil
				}), nil)
				if err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	for range writers {
		must(t, <-failures)
	}
	got := &example.Pod{}
	must(t, store.Get(ctx, "/pods/ns/counter", storage.GetOptions{}, got))
	if got.Labels["count"] != strconv.Itoa(writers*times) {
		t.Fatalf("%s updates are there of %d", got.Labels["count"], writers*times)
	}
}

func TestListsWithContinueTokensAndVersions(t *testing.T) {
	store, _, ctx := setup(t)
	var third *example.Pod
	for i := range 7 {
		pod := create(t, ctx, store, fmt.Sprintf("p%d", i), 0)
		if i == 2 {
			third = pod
		}
	}
	page, err := list(ctx, store, "", "", 3, "")
	must(t, err)
	if names(page) != "p0 p1 p2 " || page.Continue == "" || *page.RemainingItemCount != 4 {
		t.Fatalf("first page: %s, %v left", names(page), page.RemainingItemCount)
	}
	create(t, ctx, store, "p3a", 0)
	rest, err := list(ctx, store, "", "", 0, page.Continue)
	must(t, err)
	if names(rest) != "p3 p4 p5 p6 " {
		t.Fatalf("the rest is not that of the first page's version: %s", names(rest))
	}
	exact, err := list(ctx, store, third.ResourceVersion, metav1.ResourceVersionMatchExact, 0, "")
	must(t, err)
	if names(exact) != "p0 p1 p2 " {
		t.Fatalf("at the third's version: %s", names(exact))
	}
	fresh, err := list(ctx, store, third.ResourceVersion, metav1.ResourceVersionMatchNotOlderThan, 0, "")
	must(t, err)
	if len(fresh.Items) != 8 {
		t.Fatalf("not older than the third's: %s", names(fresh))
	}
	_, err = list(ctx, store, "1000000000", metav1.ResourceVersionMatchNotOlderThan, 0, "")
	if !storage.IsTooLargeResourceVersion(err) {
		t.Fatalf("a version of the future: %v", err)
	}
}

func TestWatchFromAVersionAndOverACompaction(t *testing.T) {
	store, client, ctx := setup(t)
	first := create(t, ctx, store, "a", 0)
	label(t, ctx, store, "a", "1")
	must(t, store.Delete(ctx, "/pods/ns/a", &example.Pod{}, nil, storage.ValidateAllObjectFunc, nil, storage.DeleteOptions{}))
	open := func(version string) watch.Interface {
		watching, err := store.Watch(ctx, "/pods/ns/", storage.ListOptions{ResourceVersion: version, Recursive: true, Predicate: storage.Everything})
		must(t, err)
		t.Cleanup(watching.Stop)
		return watching
	}
	watching := open(first.ResourceVersion)
	for _, want := range []watch.EventType{watch.Modified, watch.Deleted} {
		event := <-watching.ResultChan()
		if event.Type != want {
			t.Fatalf("got %v, want %v", event, want)
		}
		if pod := event.Object.(*example.Pod); pod.Labels["l"] != "1" {
			t.Fatalf("%s comes without the former object: %v", event.Type, pod)
		}
	}
	last := create(t, ctx, store, "b", 0)
	revision, err := strconv.ParseInt(last.ResourceVersion, 10, 64)
	must(t, err)
	_, err = client.Compact(ctx, revision, clientv3.WithCompactPhysical())
	must(t, err)
	event := <-open(first.ResourceVersion).ResultChan()
	status, isStatus := event.Object.(*metav1.Status)
	if event.Type != watch.Error || !isStatus || status.Reason != metav1.StatusReasonExpired {
		t.Fatalf("a watch from a compacted version: %v", event)
	}
	_, err = list(ctx, store, first.ResourceVersion, metav1.ResourceVersionMatchExact, 0, "")
	if !apierrors.IsResourceExpired(err) {
		t.Fatalf("a list at a compacted version: %v", err)
	}
}

func TestProgressIsToldOnRequest(t *testing.T) {
	store, client, ctx := setup(t)
	create(t, ctx, store, "a", 0)
	watching, err := store.Watch(ctx, "/pods/ns/", storage.ListOptions{ResourceVersion: "", Recursive: true, ProgressNotify: true, Predicate: storage.Everything})
	must(t, err)
	defer watching.Stop()
	if event := <-watching.ResultChan(); event.Type != watch.Added {
		t.Fatalf("got %v", event)
	}
	put, err := client.Put(ctx, "/elsewhere", "v")
	must(t, err)
	for {
		must(t, store.RequestWatchProgress(ctx))
		select {
		case event := <-watching.ResultChan():
			if event.Type != watch.Bookmark {
				t.Fatalf("got %v", event)
			}
			version, err := strconv.ParseInt(event.Object.(*example.Pod).ResourceVersion, 10, 64)
			must(t, err)
			if version < put.Header.Revision {
				continue
			}
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func TestObjectsWithATimeToLiveGo(t *testing.T) {
	store, _, ctx := setup(t)
	create(t, ctx, store, "event", 1)
	watching, err := store.Watch(ctx, "/pods/ns/event", storage.ListOptions{ResourceVersion: "", Predicate: storage.Everything})
	must(t, err)
	defer watching.Stop()
	for event := range watching.ResultChan() {
		if event.Type == watch.Deleted {
			return
		}
	}
	t.Fatal("the watch ended")
}

func TestTheStoreIsReady(t *testing.T) {
	store, _, ctx := setup(t)
	must(t, store.ReadinessCheck())
	create(t, ctx, store, "a", 0)
	stats, err := store.Stats(ctx)
	must(t, err)
	if stats.ObjectCount != 1 {
		t.Fatalf("%d objects", stats.ObjectCount)
	}
	version, err := store.GetCurrentResourceVersion(ctx)
	must(t, err)
	if version < 2 {
		t.Fatalf("version %d", version)
	}
}
