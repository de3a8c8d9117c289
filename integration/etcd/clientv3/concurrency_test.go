package clientv3

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"
)

func session(t *testing.T, client *clientv3.Client, options ...concurrency.SessionOption) *concurrency.Session {
	t.Helper()
	s, err := concurrency.NewSession(client, options...)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func TestMutexLetsOneInAtATime(t *testing.T) {
	client, prefix, ctx := setup(t)
	var inside, entered atomic.Int32
	var group sync.WaitGroup
	for range 5 {
		s := session(t, connect(t, endpoint(t)))
		group.Add(1)
		go func() {
			defer group.Done()
			for range 10 {
				mutex := concurrency.NewMutex(s, prefix+"lock")
				if err := mutex.Lock(ctx); err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two are in")
				}
				entered.Add(1)
				inside.Add(-1)
				if err := mutex.Unlock(ctx); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	equal(t, "entered", entered.Load(), 50)
	left, err := client.Get(ctx, prefix, clientv3.WithPrefix())
	must(t, err)
	equal(t, "keys left behind", left.Count, 0)
}

func TestTryLockAndALostSession(t *testing.T) {
	client, prefix, ctx := setup(t)
	holder := session(t, client, concurrency.WithTTL(2))
	mutex := concurrency.NewMutex(holder, prefix+"lock")
	must(t, mutex.Lock(ctx))
	other := concurrency.NewMutex(session(t, connect(t, endpoint(t))), prefix+"lock")
	equal(t, "second holder", other.TryLock(ctx), error(concurrency.ErrLocked))
	guarded, err := client.Txn(ctx).If(mutex.IsOwner()).Then(clientv3.OpPut(prefix+"guarded", "v")).Commit()
	must(t, err)
	equal(t, "owner writes", guarded.Succeeded, true)
	holder.Orphan() // nobody renews it any more: it expires
	must(t, other.Lock(ctx))
	late, err := client.Txn(ctx).If(mutex.IsOwner()).Then(clientv3.OpPut(prefix+"guarded", "late")).Commit()
	must(t, err)
	equal(t, "former owner writes", late.Succeeded, false)
}

func TestRWMutex(t *testing.T) {
	_, prefix, _ := setup(t)
	lock := func() *recipe.RWMutex {
		return recipe.NewRWMutex(session(t, connect(t, endpoint(t))), prefix+"rw")
	}
	one, two, writer := lock(), lock(), lock()
	must(t, one.RLock())
	must(t, two.RLock())
	done := make(chan error, 1)
	go func() { done <- writer.Lock() }()
	select {
	case <-done:
		t.Fatal("a writer came in beside readers")
	case <-time.After(300 * time.Millisecond):
	}
	must(t, one.RUnlock())
	must(t, two.RUnlock())
	must(t, <-done)
	late := make(chan error, 1)
	go func() { late <- one.RLock() }()
	select {
	case <-late:
		t.Fatal("a reader came in beside a writer")
	case <-time.After(300 * time.Millisecond):
	}
	must(t, writer.Unlock())
	must(t, <-late)
}

func TestElectionHandsOver(t *testing.T) {
	client, prefix, ctx := setup(t)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	observer := concurrency.NewElection(session(t, client), prefix+"e")
	seen := observer.Observe(watching)
	first := concurrency.NewElection(session(t, connect(t, endpoint(t))), prefix+"e")
	must(t, first.Campaign(ctx, "first"))
	equal(t, "observed", string((<-seen).Kvs[0].Value), "first")
	must(t, first.Proclaim(ctx, "first again"))
	equal(t, "observed", string((<-seen).Kvs[0].Value), "first again")
	second := concurrency.NewElection(session(t, connect(t, endpoint(t))), prefix+"e")
	won := make(chan error, 1)
	go func() { won <- second.Campaign(ctx, "second") }()
	select {
	case <-won:
		t.Fatal("two leaders")
	case <-time.After(300 * time.Millisecond):
	}
	must(t, first.Resign(ctx))
	must(t, <-won)
	equal(t, "observed", string((<-seen).Kvs[0].Value), "second")
	leader, err := observer.Leader(ctx)
	must(t, err)
	equal(t, "leader", string(leader.Kvs[0].Value), "second")
	equal(t, "a deposed leader's proclamation", first.Proclaim(ctx, "late"), error(concurrency.ErrElectionNotLeader))
}

func TestSTMMovesMoneyWithoutLosingAny(t *testing.T) {
	client, prefix, ctx := setup(t)
	const accounts, total = 5, 5 * 100
	for i := range accounts {
		_, err := client.Put(ctx, fmt.Sprint(prefix, i), "100")
		must(t, err)
	}
	isolations := []concurrency.Isolation{concurrency.SerializableSnapshot, concurrency.Serializable, concurrency.RepeatableReads}
	var group sync.WaitGroup
	for worker := range 6 {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range 15 {
				from, to := fmt.Sprint(prefix, (worker+i)%accounts), fmt.Sprint(prefix, (worker+2*i+1)%accounts)
				if from == to {
					continue
				}
				_, err := concurrency.NewSTM(client, func(stm concurrency.STM) error {
					a, _ := strconv.Atoi(stm.Get(from))
					b, _ := strconv.Atoi(stm.Get(to))
					stm.Put(from, strconv.Itoa(a-1))
					stm.Put(to, strconv.Itoa(b+1))
					return nil
				}, concurrency.WithIsolation(isolations[worker%3]), concurrency.WithAbortContext(ctx))
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	sum := 0
	for i := range accounts {
		got, err := client.Get(ctx, fmt.Sprint(prefix, i))
		must(t, err)
		amount, err := strconv.Atoi(string(got.Kvs[0].Value))
		must(t, err)
		sum += amount
	}
	equal(t, "sum", sum, total)
}

func TestQueuesAndBarriers(t *testing.T) {
	client, prefix, _ := setup(t)
	queue := recipe.NewQueue(client, prefix+"queue")
	for i := range 20 {
		must(t, queue.Enqueue(fmt.Sprint(i)))
	}
	for i := range 20 {
		got, err := queue.Dequeue()
		must(t, err)
		equal(t, "dequeued", got, fmt.Sprint(i))
	}
	barrier := recipe.NewBarrier(client, prefix+"barrier")
	must(t, barrier.Hold())
	passed := make(chan error, 1)
	go func() { passed <- recipe.NewBarrier(client, prefix+"barrier").Wait() }()
	select {
	case <-passed:
		t.Fatal("went through a held barrier")
	case <-time.After(200 * time.Millisecond):
	}
	must(t, barrier.Release())
	must(t, <-passed)
}
