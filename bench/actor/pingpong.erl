%% The same as scalar, tuple and spawn in measure.lua, on one scheduler.
-module(pingpong).
-export([main/0]).

main() ->
    Self = self(),
    report("scalar", 2000000, fun() -> scalar(spawn(fun() -> echo(Self) end), 1000000) end),
    report("tuple", 1000000, fun() -> tuple(Self, spawn(fun make/0), 500000) end),
    report("spawn", 50000, fun() -> spawn_idle(50000) end),
    halt().

report(Name, Count, Fun) ->
    {Us, _} = timer:tc(Fun),
    io:format("~s ~w~n", [Name, Us * 1000 / Count]).

scalar(_, 0) -> ok;
scalar(P, N) -> P ! 42, receive _ -> scalar(P, N - 1) end.

echo(To) -> receive M -> To ! M, echo(To) end.

tuple(_, _, 0) -> ok;
tuple(Me, P, N) -> P ! {Me, get, 42, <<"key">>}, receive _ -> tuple(Me, P, N - 1) end.

make() -> receive {From, _, _, _} -> From ! {self(), get, 42, <<"key">>}, make() end.

spawn_idle(0) -> ok;
spawn_idle(N) -> spawn(fun() -> receive _ -> ok end end), spawn_idle(N - 1).
