import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import type { Server, Socket } from 'socket.io';
import { z } from 'zod';
import type { RoomCommands, RoomEvents } from '@tidings/gift-contracts';

const command = z.object({ roomId: z.string().trim().min(1).max(100) });

type Answer = { readonly roomId: string } | { readonly error: string };

/** The screens' sockets. A client joins a room and hears its events from then on; what was before, it reads from the other apps. */
@WebSocketGateway({ cors: { origin: '*' } })
export class RoomGateway {
  @WebSocketServer()
  private readonly server!: Server<RoomCommands, RoomEvents>;

  @SubscribeMessage('join')
  join(@ConnectedSocket() socket: Socket, @MessageBody() body: unknown): Promise<Answer> {
    return this.inRoom(body, (room) => socket.join(room));
  }

  @SubscribeMessage('leave')
  leave(@ConnectedSocket() socket: Socket, @MessageBody() body: unknown): Promise<Answer> {
    return this.inRoom(body, (room) => socket.leave(room));
  }

  /** To the screens of this process; the other gateways' hear it from theirs. */
  emit<Event extends keyof RoomEvents>(roomId: string, event: Event, ...payload: Parameters<RoomEvents[Event]>): void {
    this.server.to(nameOf(roomId)).emit(event, ...payload);
  }

  private async inRoom(body: unknown, move: (room: string) => void | Promise<void>): Promise<Answer> {
    const parsed = command.safeParse(body);
    if (!parsed.success) return { error: `expected { roomId }, found ${JSON.stringify(body)}` };
    await move(nameOf(parsed.data.roomId));
    return parsed.data;
  }
}

const nameOf = (roomId: string): string => `room:${roomId}`;
