%% The same as measure.lua, for one scheduler.  Times are of the CPU, all threads of the VM together.
-module(pingpong).
-export([main/0, idle/0]).

main() ->
    Self = self(),
    timed("scalar cpu_ns", 2000000, fun() -> scalar(spawn(fun() -> echo(Self) end), 1000000) end),
    timed("tuple cpu_ns", 1000000, fun() -> tuple(Self, spawn(fun make/0), 500000) end),
    timed("call cpu_ns", 300000, fun() -> call(spawn(fun answer/0), 300000) end),
    timed("spawn cpu_ns", 100000, fun() -> spawn_idle(100000) end),
    halt().

timed(Name, Count, Fun) ->
    erlang:garbage_collect(),
    Before = cpu_ms(),
    Fun(),
    io:format("~s ~w~n", [Name, (cpu_ms() - Before) * 1000000 / Count]).

%% statistics(runtime) would leave out what the kernel does for us.
cpu_ms() ->
    {ok, Text} = file:read_file("/proc/self/stat"),
    [_, Fields] = string:split(Text, ") ", trailing),
    [User, System] = lists:sublist(string:lexemes(Fields, " "), 12, 2),
    (binary_to_integer(User) + binary_to_integer(System)) * 10.

scalar(_, 0) -> ok;
scalar(P, N) -> P ! 42, receive _ -> scalar(P, N - 1) end.

echo(To) -> receive M -> To ! M, echo(To) end.

tuple(_, _, 0) -> ok;
tuple(Me, P, N) -> P ! {Me, get, 42, <<"key">>}, receive _ -> tuple(Me, P, N - 1) end.

make() -> receive {From, _, _, _} -> From ! {self(), get, 42, <<"key">>}, make() end.

%% what gen_server:call does: a monitor, and an answer that carries its reference
call(_, 0) -> ok;
call(P, N) ->
    Ref = monitor(process, P),
    P ! {'$call', {self(), Ref}, N},
    receive {Ref, _} -> demonitor(Ref, [flush]), call(P, N - 1)
    after 5000 -> exit(timeout) end.

answer() -> receive {'$call', {From, Ref}, N} -> From ! {Ref, N}, answer() end.

%% Until the last one runs, which is after all others.
spawn_idle(1) ->
    Self = self(),
    spawn(fun() -> Self ! ready, wait() end),
    receive ready -> ok end;
spawn_idle(N) -> spawn(fun wait/0), spawn_idle(N - 1).

wait() -> receive _ -> ok end.

%% In a VM of its own.
idle() ->
    Before = resident(),
    spawn_idle(100000),
    io:format("idle rss_bytes ~w~n", [(resident() - Before) / 100000]),
    halt().

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Pages) * 4096.
